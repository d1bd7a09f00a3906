"""Golden examples beside a mapping: input and expected output, its tests and its documentation at once.

    examples/full/input.yaml + expected.xml      or, flat,      examples/full.input.json + full.expected.json

The input holds the roots; a typed root is read with its own model, so days and sums are what they are later.
`item.xml` beside the input is an item in XML, `<root>.xml` a record of one's own. An expected RecordError stands in
`expected.error`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.machine import write_file
from kiezbruecke.mapping.interpret.json import dumps
from kiezbruecke.mapping.interpret.sources import Scope
from kiezbruecke.mapping.language.findings import nearest
from kiezbruecke.mapping.loading import Mapping, mapping_file
from kiezbruecke.standards.store import parse
from kiezbruecke.workbench import review
from kiezbruecke.workbench.example_input import own_record, position_of, read_input, typed_root

_INPUTS = (".yaml", ".json")
_OUTPUTS = ("xml", "json", "csv", "txt", "error")


@dataclass(frozen=True)
class Example:
    """One case of a mapping: its files begin with `stem` (a folder and a slash, or a name and a dot)."""

    name: str
    stem: str
    input: Path

    def beside(self, name: str) -> Path:
        """A file of this case."""
        return self.input.parent / f"{self.stem}{name}"


@dataclass(frozen=True)
class ExampleResult:
    """What became of one example. `problem` is one line, empty where it passed."""

    mapping: str
    example: str
    problem: str = ""
    stale: str = ""  # the output is the expected one, but something has changed since a person looked at it
    updated: bool = False  # the expected output was written anew
    refused: bool = False  # what was written anew is that the record is set aside
    reviewed: bool = False  # the review was written anew

    @property
    def passed(self) -> bool:
        """Whether the output was the expected one, and what it was reviewed with is still there."""
        return not self.problem and not self.stale


def find_examples(name: str, content: Path) -> list[Example]:
    """The examples of a mapping, sorted by name."""
    folder = mapping_file(name, content)[0].parent / "examples"
    found = [Example(file.parent.name, "", file) for kind in _INPUTS for file in folder.glob(f"*/input{kind}")]
    for kind in _INPUTS:
        for file in folder.glob(f"*.input{kind}"):
            case = file.name.removesuffix(f".input{kind}")
            found.append(Example(case, f"{case}.", file))
    return sorted(found, key=lambda example: example.name)


def run_examples(mapping: Mapping, content: Path, *, update: bool = False) -> list[ExampleResult]:
    """Run every example of a mapping; with `update` the expected files and the review are written anew."""
    examples = find_examples(mapping.name, content)
    results = [_run(mapping, content, example, update=update) for example in examples]
    folder = mapping_file(mapping.name, content)[0].parent / "examples"
    now = review.current(mapping, {example.name: _expected_digest(example) for example in examples})
    if update:
        written = all(result.passed for result in results) and bool(results) and review.write_review(folder, now)
        return [replace(result, reviewed=written) for result in results]
    reviewed = review.read_review(folder)
    if reviewed is None:  # a review begins with the first --update
        return results
    changed = review.changes(mapping, reviewed, now)
    return [result if result.problem else _judged(result, changed, reviewed, now) for result in results]


def _judged(result: ExampleResult, changed: list[str], reviewed: review.Review, now: review.Review) -> ExampleResult:
    """Stale where what was reviewed is not what is there."""
    if (known := reviewed.examples.get(result.example)) != now.examples[result.example]:
        own = "the expected output was changed by hand" if known else "the example is new"
        return replace(result, stale=f"stale: {own}; look at it, then --update")
    if not changed:
        return result
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return replace(result, stale=f"stale: changed since the review: {', '.join(changed[:3])}{more}; --update keeps it")


def _expected_digest(example: Example) -> str:
    """The digest of what is expected, by meaning; empty where nothing is."""
    for suffix in _OUTPUTS:
        if (file := example.beside(f"expected.{suffix}")).is_file():
            compared = _comparable(suffix, file.read_bytes())
            body = compared if isinstance(compared, bytes) else json.dumps(compared, sort_keys=True)
            return review.digest_of(body)
    return ""


def read_roots(mapping: Mapping, content: Path, example: Example) -> dict[str, Any]:
    """What the example gives the mapping, typed as it is in a run; raises ConfigurationError."""
    known = mapping.definition.roots
    body = read_input(example.input, known)
    for name in body:
        if name not in known:
            raise ConfigurationError(
                f"the mapping has no root '{name}'",
                where=position_of(example.input, (name,)),
                expected=", ".join(known),
                helps=nearest(str(name), known),
            )
    own = mapping.own if mapping.direction == "outbound" else ""
    roots = {name: typed_root(name, value, content, example.input) for name, value in body.items() if name != own}
    if own:
        return _own_record(mapping, body, example) | roots
    item = example.beside("item.xml")
    if item.is_file():
        roots["item"] = item.read_bytes()
    if "item" in roots and not example.beside("expected.error").is_file():
        _try_body(mapping, lambda: mapping.scope(roots["item"], roots), item if item.is_file() else example.input)
    return roots


def _own_record(mapping: Mapping, body: AnyMapping[str, Any], example: Example) -> dict[str, Any]:
    """The roots that a record of one's own gives, which stands among them or in an XML file beside them."""
    file = example.beside(f"{mapping.own}.xml")
    if file.is_file():
        return dict(_try_body(mapping, lambda: mapping.roots_of(file.read_bytes()), file))
    return mapping.roots_of(own_record(body[mapping.own])) if mapping.own in body else {}


def _try_body(mapping: Mapping, read: Callable[[], Scope], file: Path) -> Scope:
    """What is read; raises ConfigurationError where that is not what the mapping's `source` says."""
    try:
        return read()
    except RecordError:
        kind = mapping.definition.source.kind
        other = "source: xml reads XML" if kind != "xml" else "source: json reads JSON and rows"
        what = "item" if mapping.direction == "inbound" else "record"
        raise ConfigurationError(
            f"the {what} cannot be read as {'XML' if kind == 'xml' else 'JSON'}",
            where=str(file),
            expected=f"what the mapping says: source: {mapping.definition.source}",
            helps=f"mend the {what}, or the mapping: {other}",
        ) from None


def _run(mapping: Mapping, content: Path, example: Example, *, update: bool) -> ExampleResult:
    try:
        suffix, output = output_of(mapping, read_roots(mapping, content, example))
        if update:
            return ExampleResult(
                mapping.name, example.name, updated=_update(example, suffix, output), refused=suffix == "error"
            )
        return ExampleResult(mapping.name, example.name, _difference(example, suffix, output))
    except (ConfigurationError, RecordError) as error:
        return ExampleResult(mapping.name, example.name, error.line())


def output_of(mapping: Mapping, roots: dict[str, Any]) -> tuple[str, bytes]:
    """The output and what kind of file it is; a record that is set aside is an output too."""
    try:
        if mapping.goal.model is not None:
            record = mapping.read(roots.get("item", {}), roots)
            text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=2)
            return "json", f"{text}\n".encode()
        return mapping.goal.suffix, mapping.write(roots)
    except RecordError as error:
        return "error", f"{error.what}\n".encode()


def _difference(example: Example, suffix: str, output: bytes) -> str:
    expected = example.beside(f"expected.{suffix}")
    if not expected.is_file():
        if suffix == "error":
            return f"the record is set aside: {output.decode().strip()}; mend it, or --update if that is meant"
        return f"expected.{suffix} is missing; --update writes it"
    same = _comparable(suffix, expected.read_bytes()) == _comparable(suffix, output)
    return "" if same else f"the output is not {expected.name}{_first_difference(suffix, expected, output)}"


def _first_difference(suffix: str, expected: Path, output: bytes) -> str:
    wanted = _readable(suffix, expected.read_bytes()).decode(errors="replace").splitlines()
    got = _readable(suffix, output).decode(errors="replace").splitlines()
    pairs = enumerate(zip([*wanted, "(end)"], [*got, "(end)"], strict=False), 1)
    return next((f": line {line}: {new.strip()}" for line, (old, new) in pairs if old != new), "")


def _update(example: Example, suffix: str, output: bytes) -> bool:
    """Write the expected file where it says something else, and drop that of another kind."""
    for other in set(_OUTPUTS) - {suffix}:
        example.beside(f"expected.{other}").unlink(missing_ok=True)
    expected = example.beside(f"expected.{suffix}")
    if expected.is_file() and _comparable(suffix, expected.read_bytes()) == _comparable(suffix, output):
        return False
    write_file(expected, _readable(suffix, output))
    return True


def _comparable(suffix: str, output: bytes) -> object:
    """What two outputs are compared by: meaning, not indentation."""
    if suffix == "json":
        return json.loads(output)
    if suffix == "xml":
        return etree.tostring(_without_blanks(output), method="c14n2")
    return output


def _readable(suffix: str, output: bytes) -> bytes:
    """XML and JSON are kept indented, so that people can read a difference."""
    if suffix == "json":
        return f"{dumps(json.loads(output, parse_float=Decimal), indent=2)}\n".encode()
    if suffix != "xml":
        return output
    return etree.tostring(_without_blanks(output), xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _without_blanks(output: bytes) -> etree._Element:
    root = parse(output, "expected.xml")
    for element in root.iter():
        if len(element) and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    return root

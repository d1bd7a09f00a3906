"""What a mapping's expected outputs were reviewed with: `examples/reviewed.yaml`, written by `mapping test --update`.

An output that stays the same says little when the mapping, its schema or a code list has changed: perhaps no example
shows the change. So the file keeps digests of what a person looked at. It compares meaning: comments, layout, notes and
the version of a mapping are no part of it. There is no date, no path and no name in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kiezbruecke.errors import ConfigurationError
from kiezbruecke.machine import write_file
from kiezbruecke.mapping.language.definition import Lookup
from kiezbruecke.mapping.language.findings import Place
from kiezbruecke.mapping.loading import Mapping

FILE = "reviewed.yaml"
_HEAD = "# What the expected outputs were reviewed with. `kiezbruecke mapping test --update` writes it; do not edit.\n"
_SILENT = frozenset(
    {"place", "places", "note", "pii", "legal_basis", "accept", "rules"}
)  # they change no byte, or are rules
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Review:
    """Digests by name: of every rule, of the schema, of the code lists, of the expected outputs."""

    target: str = ""
    rules: AnyMapping[str, str] = field(default_factory=dict)
    schema: str = ""
    codelists: AnyMapping[str, str] = field(default_factory=dict)
    examples: AnyMapping[str, str] = field(default_factory=dict)


def current(mapping: Mapping, examples: AnyMapping[str, str]) -> Review:
    """What is there now; `examples` are the digests of the expected outputs by name."""
    return Review(_header(mapping), _rules(mapping), _schema(mapping), _codelists(mapping), examples)


def changes(mapping: Mapping, reviewed: Review, now: Review) -> list[str]:
    """What has changed since the review, apart from the examples: each in a few words, rules with file and line."""
    found = [] if reviewed.target == now.target else ["target"]
    lines = dict(zip(now.rules, mapping.rule_lines, strict=True))
    for name, digest in now.rules.items():
        if reviewed.rules.get(name) != digest:
            word = "rule" if name in reviewed.rules else "new rule"
            found.append(f"{word} {lines[name].rule} {name} ({lines[name].file}:{lines[name].line})")
    found += [f"rule {name} is gone" for name in reviewed.rules if name not in now.rules]
    if reviewed.schema != now.schema:
        found.append(f"schema of {mapping.target}")
    return [*found, *_list_changes(reviewed.codelists, now.codelists)]


def read_review(folder: Path) -> Review | None:
    """The review that lies beside the examples, None where none was kept yet; raises ConfigurationError."""
    file = folder / FILE
    try:
        text = file.read_text("utf-8") if file.stat().st_size <= _MAX_BYTES else ""
        body = YAML(typ="safe", pure=True).load(text)
        return Review(
            str(body["target"]), dict(body["rules"]), str(body["schema"]),
            dict(body["codelists"]), dict(body["examples"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, YAMLError, TypeError, KeyError, ValueError):
        helps = "kiezbruecke mapping test --update writes it"
        raise ConfigurationError("the review cannot be read", where=str(file), helps=helps) from None


def write_review(folder: Path, review: Review) -> bool:
    """Write the review where it says something else; whether it did."""
    if (folder / FILE).is_file() and read_review(folder) == review:
        return False
    yaml, text = YAML(), StringIO()
    yaml.width = 1000
    text.write(_HEAD)
    yaml.dump({part.name: _plain(getattr(review, part.name)) for part in fields(Review)}, text)
    write_file(folder / FILE, text.getvalue())
    return True


def digest_of(text: bytes | str) -> str:
    """A short digest: it tells versions apart, it proves nothing."""
    return sha256(text.encode() if isinstance(text, str) else text).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, AnyMapping) else value


def _header(mapping: Mapping) -> str:
    return digest_of(f"{mapping.definition.source} → {mapping.target}")


def _rules(mapping: Mapping) -> dict[str, str]:
    """Each rule by its target; of several with one target the later ones are counted."""
    found: dict[str, str] = {}
    for one in mapping.plan.rules:
        name, count = one.target, 1
        while name in found:
            count += 1
            name = f"{one.target} ({count})"
        found[name] = digest_of(repr(_meaning(one.rule)))
    return found


def _meaning(value: Any) -> Any:
    """What a value says, without where it stands; what is left out of a file says nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(_parts(value))
    if isinstance(value, list | tuple):
        return tuple(_meaning(part) for part in value)
    if isinstance(value, set | frozenset):
        return tuple(sorted(map(str, value)))
    if isinstance(value, AnyMapping):
        return tuple(sorted((str(key), _meaning(part)) for key, part in value.items()))
    return value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    for part in fields(value):
        given = getattr(value, part.name)
        silent = part.name in _SILENT or isinstance(given, Path | Place)
        if not silent and (part.default is MISSING or given != part.default):
            yield part.name, _meaning(given)


def _schema(mapping: Mapping) -> str:
    if mapping.goal.model is not None:
        return digest_of(json.dumps(_shape(mapping.goal.model.model_json_schema()), sort_keys=True))
    files = sorted((file.name, file.read_bytes().replace(b"\r\n", b"\n")) for file in mapping.goal.files)
    return digest_of(b"".join(sha256(body).digest() for _, body in files))


def _shape(schema: Any) -> Any:
    """A model's schema without its prose."""
    if isinstance(schema, dict):
        prose = {key for key in ("title", "description") if isinstance(schema.get(key), str)}
        return {key: _shape(part) for key, part in schema.items() if key not in prose}
    return [_shape(part) for part in schema] if isinstance(schema, list) else schema


def _codelists(mapping: Mapping) -> dict[str, str]:
    translations = {_shown(lookup): listed for lookup, listed in mapping.lists.translations.items()}
    lists = {**translations, **mapping.lists.codes}
    return {name: digest_of(repr(_meaning(lists[name]))) for name in sorted(lists)}


def _shown(lookup: Lookup) -> str:
    """A translation by its name alone where it is read as most are."""
    column = f" ({lookup.column})" if lookup.column else ""
    return f"{lookup.list}{column}{'' if lookup.fold else ', exact'}"


def _list_changes(reviewed: AnyMapping[str, str], now: AnyMapping[str, str]) -> list[str]:
    return [f"code list {name}" for name, digest in now.items() if reviewed.get(name) != digest]

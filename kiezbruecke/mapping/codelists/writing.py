"""Writes an imported code list, and says what differs from the one that lies there: same list, same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kiezbruecke.mapping.codelists.reading import CodeList
from kiezbruecke.mapping.codelists.validity import ALWAYS, Validity

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Changes:
    """What became of the codes: their names where they came or went, old and new name where they are called anew."""

    added: Mapping[str, str]
    removed: Mapping[str, str]
    renamed: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.renamed)


def compare(old: CodeList, new: CodeList) -> Changes:
    """What differs between two versions of a list; a code without a name is not renamed by getting one."""
    return Changes(
        {code: name for code, name in new.codes.items() if code not in old.codes},
        {code: name for code, name in old.codes.items() if code not in new.codes},
        {
            code: (name, new.codes[code])
            for code, name in old.codes.items()
            if code in new.codes and name and new.codes[code] != name
        },
    )


def taken_over(old: CodeList, new: CodeList) -> CodeList:
    """The new version with what people have decided about the list: whether names are written, and their note."""
    return replace(new, write_names=old.write_names, note=old.note)


def render(codes: CodeList) -> str:
    """The list as `mappings/codelists/<name>.yaml`; codes and names are quoted, so that 01 stays 01."""
    head = {"uri": codes.uri, "version": codes.version, "source": codes.source, "digest": codes.digest}
    lines = ["# Imported by 'kiezbruecke codelist import'; a newer version comes in the same way, with --update."]
    lines += [f"{key}: {flow(text)}" for key, text in head.items() if text]
    lines += _days(codes.validity)
    lines.append(f"write_names: {str(codes.write_names).lower()}")
    if codes.note:
        lines.append(f"note: {flow(codes.note)}")
    lines.append("codes:")
    lines += [f"  {flow(code)}: {_entry(name, codes.limits.get(code, ALWAYS))}" for code, name in codes.codes.items()]
    return "\n".join(lines) + "\n"


def _entry(name: str, limit: Validity) -> str:
    if limit == ALWAYS:
        return flow(name)
    return "{" + ", ".join([f"name: {flow(name)}", *_days(limit)]) + "}"


def _days(span: Validity) -> list[str]:
    days = {"valid_from": span.first, "valid_to": span.last}
    return [f"{key}: {day.isoformat()}" for key, day in days.items() if day]


def flow(value: object) -> str:
    """A value as JSON writes it, which YAML reads alike; YAML wants a few more characters escaped."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))

"""What generated code calls: the few things that are not worth writing out in every rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from kiezbruecke.mapping.interpret.sources import Scope, read_members
from kiezbruecke.mapping.language.paths import SourcePath
from kiezbruecke.mapping.schema.tree import Leaf
from kiezbruecke.mapping.values import is_nothing, to_text, xml_text


class Declined(Exception):
    """The compiled form does not know this record to be fine. The interpreter decides."""


def decline() -> NoReturn:
    """Leave the record to the interpreter."""
    raise Declined


def text_content(text: str) -> str:
    """A text as it stands between tags, with the references that libxml2 writes, one character for each byte."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text if text.isascii() else as_bytes(text)


def attribute_value(text: str) -> str:
    """A text as it stands between the quotes of an attribute."""
    return text_content(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def as_bytes(text: str) -> str:
    """The UTF-8 bytes of a text, each as the character of its number.

    So the document is put together of one-byte characters only – one „ would widen the whole string fourfold – and
    its last step is a copy.
    """
    return text.encode().decode("latin-1")


def judged(text: str, leaf: Leaf) -> str:
    """The text, asked of the schema itself; raises Unusable."""
    xml_text(text)
    leaf.judge(text)
    return text


def some(value: Any) -> Any:
    """The value, or None where it counts as nothing."""
    return None if is_nothing(value) else value


def some_text(value: Any) -> str | None:
    """The value as text, or None where it counts as nothing; raises Unusable where there are several."""
    return None if is_nothing(value) else to_text(value)


def some_texts(value: Any) -> list[str]:
    """The texts of a value that may be many."""
    if is_nothing(value):
        return []
    values: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
    return [to_text(part) for part in values if not is_nothing(part)]


def dig(value: Any, names: Sequence[str]) -> Any:
    """A path through plain objects and lists, where a name may hold dots itself; declines at anything else."""
    if type(value) is list:
        found = [below for part in value if (below := dig(part, names)) is not None]
        return [one for below in found for one in (below if isinstance(below, list | tuple) else (below,))] or None
    for end in range(1, len(names) + 1):
        if type(value) is not dict:
            if value is None:
                return None
            raise Declined
        key = ".".join(names[:end])
        if key in value:
            return value[key] if end == len(names) else dig(value[key], names[end:])
    return None


def some_members(value: Any) -> Sequence[Any]:
    """The members of what `each` goes through; a single value is a list of one."""
    if isinstance(value, list | tuple):
        return value
    return () if value is None else (value,)


def read_values(path: SourcePath, scope: Scope) -> list[Any]:
    """The members at a path that leads through something else than plain objects."""
    return [member.value for member in read_members(path, scope)]

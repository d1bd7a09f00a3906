"""The moderation form as a browser would send it back: every field, also those that nobody here changes.

The form is a full replacement: a field that is left out becomes empty. So one that is not known is a reason to write
nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - the name of a field
STATUS = "moderateable-moderator_status"
FEEDBACK = "feedback_text-feedback_text"
REMARK = "remark-remark"
KNOWN = frozenset({TOKEN, STATUS, FEEDBACK, REMARK, "moderateable-is_archived", "moderateable-completed_tasks"})
NEEDED = frozenset({TOKEN, STATUS, FEEDBACK})
_SENDS_NOTHING = {"submit", "button", "reset", "image", "file"}


@dataclass(frozen=True)
class Form:
    """A form of a page: what a browser would send unchanged, the names of all its fields, and what selects offer."""

    values: tuple[tuple[str, str], ...]
    names: frozenset[str]
    offers: Mapping[str, tuple[str, ...]]

    def value(self, name: str) -> str:
        """The value of a field that can have one; empty where it is not there."""
        return next((value for known, value in self.values if known == name), "")

    def changed(self, values: Mapping[str, str]) -> Form:
        """The same form with other values in fields that it has."""
        kept = ((name, values.get(name, value)) for name, value in self.values)
        return Form(tuple(kept), self.names, self.offers)


def find_form(page: str, action: str) -> Form | None:
    """The form of a page that is sent to `action`; None where there is none."""
    parser = _Forms()
    parser.feed(page)
    parser.close()
    found = parser.forms.get(action)
    return found.form() if found else None


@dataclass
class _Control:
    name: str
    kind: str
    text: list[str] = field(default_factory=list)
    options: list[tuple[str, bool]] = field(default_factory=list)  # value, selected

    def values(self) -> Iterator[str]:
        """What it sends."""
        if self.kind == "textarea":
            yield _without_first_break("".join(self.text))
        elif self.kind == "select":
            chosen = [value for value, selected in self.options if selected]
            yield from chosen[-1:] or [value for value, _ in self.options[:1]]
        else:
            yield "".join(self.text)


@dataclass
class _Found:
    controls: list[_Control] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  # boxes that are not ticked send nothing

    def form(self) -> Form:
        """All of it."""
        values = tuple((control.name, value) for control in self.controls for value in control.values())
        selects = {one.name: tuple(value for value, _ in one.options) for one in self.controls if one.kind == "select"}
        return Form(values, frozenset(self.silent.union(one.name for one in self.controls)), selects)


class _Forms(HTMLParser):
    """Reads every form of a page, by its action."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: dict[str, _Found] = {}
        self._form: _Found | None = None
        self._open: _Control | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self.forms.setdefault(given.get("action", ""), _Found())
        elif self._form is None:
            return
        elif tag == "option" and self._open is not None:
            self._open.options.append((given.get("value", ""), "selected" in given))
        elif tag in ("input", "select", "textarea") and given.get("name") and "disabled" not in given:
            self._control(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag in ("form", "select", "textarea"):
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._open.kind == "textarea":
            self._open.text.append(data)

    def _control(self, form: _Found, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower() if tag == "input" else tag
        if kind in _SENDS_NOTHING:
            return
        if kind in ("checkbox", "radio") and "checked" not in given:
            form.silent.add(given["name"])
            return
        control = _Control(given["name"], kind)
        if tag == "input":
            control.text.append(given.get("value", "on" if kind in ("checkbox", "radio") else ""))
        else:
            self._open = control
        form.controls.append(control)


def _without_first_break(text: str) -> str:
    """HTML drops a break directly behind the tag; the platform's templates always write one."""
    return text.removeprefix("\r\n") if text.startswith("\r\n") else text.removeprefix("\n")

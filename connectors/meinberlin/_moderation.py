"""The sandbox's moderation form: full replacement, no lock, and a mail for every change – as it was recorded.

GET  …/moderate/   what is stored, in fields          302 to the log-in for whoever is not logged in, 403 without right
POST …/moderate/   302 to the proposal's page         200 with the form again where a value is invalid
     every field that is left out becomes empty, but the status: that stays, and counts as changed
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from connectors.meinberlin._pages import whole
from connectors.meinberlin._platform import STATUS, Row

ALLOWED = {"p", "strong", "em", "u", "ol", "ul", "li", "a", "img", "iframe", "div"}
BLOCKS = {"h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "td", "blockquote", "section", "article", "pre"}
ATTRIBUTES = {"href", "src", "alt", "target", "style", "class", "allowfullscreen"}
VOID = {"img"}


@dataclass(frozen=True)
class Posted:
    """What a POST says; None for a field that was left out."""

    status: str | None
    feedback: str
    archived: bool
    tasks: tuple[int, ...]
    remark: str


def posted(pairs: list[tuple[str, str]]) -> Posted:
    """The fields of a form."""
    last = dict(pairs)
    return Posted(
        status=last.get("moderateable-moderator_status"),
        feedback=last.get("feedback_text-feedback_text", "").strip(),
        archived="moderateable-is_archived" in last and last["moderateable-is_archived"] not in ("", "false", "False"),
        tasks=tuple(
            int(value) for name, value in pairs if name == "moderateable-completed_tasks" and value.isdecimal()
        ),
        remark=last.get("remark-remark", "").strip(),
    )


def problem(said: Posted) -> str:
    """Why the platform does not take it; nothing where it does."""
    if said.status and said.status not in STATUS:
        return f"Bitte eine gültige Auswahl treffen. {said.status} ist keine gültige Auswahl."
    return ""


def changes(row: Row, said: Posted) -> list[str]:
    """What counts as changed, and mails: the text as it was sent is compared with the text as it is stored."""
    found = ["status"] if (said.status or "") != (row["moderator_status"] or "") else []
    return [*found, "feedback"] if said.feedback != row["feedback"] else found


def stored(row: Row, module: Row, said: Posted, moment: str) -> Row:
    """The whole row after a POST."""
    changed = {**row, "feedback": cleaned(said.feedback), "modified": moment, "moderated": True}
    if said.status is not None:
        changed["moderator_status"] = said.status or None
    if module["type"] == "budgeting":
        known = [pk for pk, _ in module["tasks"]]
        changed |= {"is_archived": said.archived, "completed_tasks": [pk for pk in said.tasks if pk in known]}
        changed["remark"] = said.remark
    return changed


def mail(row: Row, module: Row, moment: str) -> Row | None:
    """The mail for a change; an empty address means that nobody is told."""
    legacy = module["type"] == "kiezkasse"
    to = f"{re.sub('[^a-z0-9]+', '-', row['creator'].casefold())}@example.org" if legacy else row["contact_email"]
    if not to:
        return None
    return {
        "pk": row["pk"],
        "to": to,
        "status": STATUS.get(row["moderator_status"] or ""),
        "text": row["feedback"],
        "at": moment,
    }


def cleaned(markup: str) -> str:
    """What the platform keeps of formatted text: tags that are not allowed are dropped, their text stays."""
    cleaner = _Cleaner()
    cleaner.feed(markup.replace("\r\n", "\n"))
    cleaner.close()
    return "".join(cleaner.out)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in ALLOWED - VOID:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(html.escape(data, quote=False))

    def _tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ALLOWED:
            kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if name in ATTRIBUTES)
            self.out.append(f"<{tag}{kept}>")
        elif tag in BLOCKS:
            self.out.append("\n")


def form_page(row: Row, module: Row, path: str, token: str, *, said: Posted | None = None, extra: str = "") -> str:
    """The page with the form, as it was recorded; `said` is shown again with the reason why it was not taken."""
    shown = said or Posted(
        row["moderator_status"] or "",
        row["feedback"],
        row["is_archived"],
        tuple(row["completed_tasks"]),
        row["remark"],
    )
    wrong = problem(shown)
    body = (
        '<form action="/search/" method="get"><input name="q"></form>\n'
        "<h1>Vorschlag moderieren</h1>\n"
        f'<form class="form--base panel--heavy" enctype="multipart/form-data" action="{path}" method="post">\n'
        f'    <input type="hidden" name="csrfmiddlewaretoken" value="{token}">\n'
        f"{_select(shown.status or '', wrong)}{_textarea('feedback_text-feedback_text', shown.feedback)}"
        '<input type="hidden" id="id_feedback_text-feedback_text_script-ck-editor-5-upload-url"'
        ' data-upload-url="/ckeditor5/image_upload/" data-csrf_cookie_name="csrftoken">\n'
        '<script type="application/json">{"toolbar": ["bold"]}</script>\n'
        f"{_budgeting(shown, module) if module['type'] == 'budgeting' else ''}{extra}"
        f'<a href="{path.removesuffix("moderate/")}" class="link--back">Abbrechen</a>\n'
        '<button type="submit" class="button">Speichern</button>\n</form>'
    )
    return whole("Vorschlag moderieren", body)


def _select(status: str, wrong: str) -> str:
    options = "".join(
        f'  <option value="{key}"{" selected" if key == status else ""}>{word}</option>\n'
        for key, word in (("", "---------"), *STATUS.items())
    )
    told = f'<li class="message message--error">{html.escape(wrong)}</li>\n' if wrong else ""
    return f'<select name="moderateable-moderator_status" class="form-control">\n{options}</select>\n{told}'


def _textarea(name: str, text: str) -> str:
    return f'<textarea name="{name}" cols="40" rows="10">\n{html.escape(text)}</textarea>\n'


def _budgeting(shown: Posted, module: Row) -> str:
    archived = " checked" if shown.archived else ""
    tasks = "".join(
        f'<label><input type="checkbox" name="moderateable-completed_tasks" value="{pk}"'
        f"{' checked' if pk in shown.tasks else ''}>\n{html.escape(task)}</label>\n"
        for pk, task in module["tasks"]
    )
    box = f'<input type="checkbox" name="moderateable-is_archived" class="form-check-input"{archived}>\n'
    return f"{box}{tasks}{_textarea('remark-remark', shown.remark)}"

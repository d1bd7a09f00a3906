"""Our one line in the moderators' note, which nobody else reads."""

from __future__ import annotations

MARK = "Kiezbrücke:"  # begins it


def with_remark(note: str, remark: str) -> str:
    """The moderators' note with our one marked line, in its old place or behind the last one."""
    ours = f"{MARK} {remark}"
    end = "\r\n" if "\r\n" in note else "\n"
    lines = note.split(end) if note else []
    places = [number for number, line in enumerate(lines) if line.startswith(MARK)]
    if places:
        lines[places[0]] = ours
        return end.join(line for number, line in enumerate(lines) if number not in places[1:])
    return end.join([*lines, ours])


def has_mark(note: str) -> bool:
    """Whether we have ever written into a moderators' note."""
    return any(line.startswith(MARK) for line in note.splitlines())

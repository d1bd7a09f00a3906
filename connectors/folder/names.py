"""Names of files: which are sheets, how people read them, and the names of our own that archived files get."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePath

REPORT = ".bericht.csv"
UNKNOWN = ".unbekannt"
# Endings that an archived file keeps: of sheets, and of what clerks drop by mistake. No program runs them.
KNOWN = (
    ".csv",
    ".jsonl",
    ".ndjson",
    ".xlsx",
    ".xlsm",
    ".xltm",
    ".xlsb",
    ".xls",
    ".ods",
    ".pdf",
    ".txt",
    ".doc",
    ".docx",
)
_NOT_OURS = ("~$", ".")  # lock files of Excel (~$), hidden files, lock files of LibreOffice (.~lock)
_UNFINISHED = (".part", ".tmp", ".crdownload")
_LITTER = ("thumbs.db", "desktop.ini")
_LONGEST = 150  # bytes; a file system takes 255, and mark and report come behind


def is_sheet_name(name: str) -> bool:
    """Whether somebody has put it there to be read. Two dots hide nothing on purpose: nobody would ever be told."""
    lower = name.lower()
    hidden = lower.startswith(_NOT_OURS) and not lower.startswith("..")
    return not (hidden or lower.endswith(_UNFINISHED) or lower in _LITTER)


def shown_name(name: str) -> str:
    """A file name as people and databases can bear it: shares hand over names in foreign encodings."""
    text = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def own_name(name: str) -> str:
    """The name under which we keep a file: readable, not hidden, not too long, with an ending that nobody runs."""
    shown = shown_name(name).lstrip(". ") or "tabelle"
    ending = PurePath(shown).suffix
    if ending.lower() not in KNOWN:
        return f"{_cut(shown)}{UNKNOWN}"
    return f"{_cut(shown.removesuffix(ending))}{ending}"


def handed_name(name: str) -> str:
    """The name under which a sheet that somebody hands over is put into the inbox: one that is read, and no path."""
    bare = PurePath(PurePath(name.replace("\\", "/")).name.lstrip("~$"))
    stem = bare.stem
    if bare.name.lower().endswith(REPORT):
        stem = PurePath(stem).stem  # else nobody could tell it from a report of ours
    return own_name(f"{stem.strip('. ') or 'tabelle'}{bare.suffix}")


def arrived_name(name: str, digest: str) -> str:
    """The name under which a file had arrived, of its name in the inbox or in the archive: always the same."""
    path = PurePath(name)
    stem = re.sub(rf"-{digest[:8]}(?:{digest[8:]})?(?:-[0-9]+)?$", "", path.stem) if digest else path.stem
    return own_name(f"{stem}{path.suffix}".removesuffix(UNKNOWN)).removesuffix(UNKNOWN)


def free_names(name: str, digest: str) -> Iterator[str]:
    """Names for the archive: its own, then with the beginning of the digest, with the whole, and numbered."""
    path = PurePath(own_name(name))
    for mark in ("", f"-{digest[:8]}", f"-{digest}", *(f"-{digest}-{number}" for number in range(2, 100))):
        yield f"{path.stem}{mark}{path.suffix}"


def _cut(stem: str) -> str:
    return stem.encode()[:_LONGEST].decode("utf-8", "ignore").rstrip(". ") or "tabelle"

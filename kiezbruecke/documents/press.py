"""Sets type: a template and its data in, a PDF out that is PDF/A-2a and PDF/UA-1 at once. Nobody else loads typst.

Run as a program it does one job for another process, without the rest of the engine: typst works with threads, and
in a child of a process that has set type these threads are gone; typst would wait for them for ever.

    process ──▶ typst
       └─ fork ─▶ child ──▶ a new interpreter ──▶ typst
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import typst

STANDARDS: Final = ("a-2a", "ua-1")

_PLACE = re.compile(r"┌─ (?:.*/)?([^/:\n]+:\d+:\d+)")
_REFUSED = 3  # what the program ends with where the template is at fault
_PATIENCE = 120  # seconds
_one_at_a_time = threading.Lock()


class PressError(Exception):
    """typst refuses. `place` is file, line and column in the template; `what` may quote the data."""

    def __init__(self, what: str, place: str) -> None:
        self.what, self.place = what, place
        super().__init__(place)


def press(template: Path, fonts: Path, data: str, moment: int, *, strict: bool = False) -> bytes:
    """The PDF of a template with `sys.inputs.data`; same input, same bytes. Raises PressError.

    `moment`, in seconds since 1970, is all that the template can know of the time. `strict` takes warnings for errors.
    """
    set_type = _here if _home() == os.getpid() else _elsewhere
    return set_type(template, fonts, data, moment, strict=strict)


@cache
def _home() -> int:
    """The process whose threads typst works with; a child inherits the answer, not the threads."""
    return os.getpid()


def _here(template: Path, fonts: Path, data: str, moment: int, *, strict: bool) -> bytes:
    import typst  # noqa: PLC0415 - nobody pays for it before the first document

    with _one_at_a_time:
        try:
            pdf, warnings = _compiler(template.parent, fonts).compile_with_warnings(
                template, format="pdf", sys_inputs={"data": data}, pdf_standards=list(STANDARDS), timestamp=moment
            )
        except typst.TypstError as error:
            raise _refusal(error.message, error.diagnostic) from None
    if strict and warnings:
        raise _refusal(warnings[0].message, warnings[0].diagnostic)
    assert isinstance(pdf, bytes)
    return pdf


def _elsewhere(template: Path, fonts: Path, data: str, moment: int, *, strict: bool) -> bytes:
    job = [str(template), str(fonts), str(moment), "strict" if strict else ""]
    done = subprocess.run(  # noqa: S603 - this file, by this interpreter
        [sys.executable, "-P", __file__, *job], input=data.encode(), capture_output=True, timeout=_PATIENCE, check=False
    )
    if done.returncode == _REFUSED:
        place, _, what = done.stderr.decode().partition("\n")
        raise PressError(what, place)
    if done.returncode != 0:
        raise RuntimeError(f"typst ended with {done.returncode}")
    return done.stdout


@cache
def _compiler(root: Path, fonts: Path) -> typst.Compiler:
    import typst  # noqa: PLC0415

    known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts])
    return typst.Compiler(root=root, font_paths=known)


def _refusal(what: str, diagnostic: str) -> PressError:
    place = _PLACE.search(diagnostic)
    return PressError(what, place[1] if place else "")


def _main() -> None:
    template, fonts, moment, strict = sys.argv[1:]
    try:
        pdf = press(Path(template), Path(fonts), sys.stdin.buffer.read().decode(), int(moment), strict=bool(strict))
    except PressError as error:
        sys.stderr.buffer.write(f"{error.place}\n{error.what}".encode())
        sys.exit(_REFUSED)
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    _main()

"""Writes the empty sheets for the assembly and the budget: docs/vorlagen/*.xlsx.

The forms are those of `kiezbruecke sheet new` (kiezbruecke/desk/workbook.py): same program, same bytes.
Run it from the checkout: python tools/make_templates.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from kiezbruecke.desk.sheets import empty_sheets

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "vorlagen"


def main() -> int:
    """Write all templates, or with --check tell which differ."""
    check = "--check" in sys.argv[1:]
    sheets = empty_sheets(ROOT)
    stale = [name for name, body in sheets.items() if not _is_current(FOLDER / name, body)]
    for name in stale:
        if not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_bytes(sheets[name])
        print(f"{name}: {'differs, run tools/make_templates.py' if check else 'written'}")
    return 1 if check and stale else 0


def _is_current(file: Path, body: bytes) -> bool:
    return file.exists() and file.read_bytes() == body


if __name__ == "__main__":
    sys.exit(main())

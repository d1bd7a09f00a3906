"""Writes what is generated and committed: canonical JSON Schemas, the editors' schema, pages of the reference.

python tools/generate.py            writes
python tools/generate.py --check    exits 1 and lists what is stale
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kiezbruecke.desk.reference import views_page
from kiezbruecke.mapping.schema.models import root_models
from kiezbruecke.records import RECORDS
from kiezbruecke.records.views import DocumentView
from kiezbruecke.workbench.findings import findings_page
from kiezbruecke.workbench.language_schema import general_schema
from kiezbruecke.workbench.reference import steps_page

ROOT = Path(__file__).resolve().parent.parent


def generated() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    models: dict[str, type[BaseModel]] = {
        model.__name__: model for model in (*RECORDS.values(), *root_models().values(), DocumentView)
    }
    files = {ROOT / "schemas/canonical" / f"{name}.json": _schema(model) for name, model in sorted(models.items())}
    return {
        **files,
        ROOT / "schemas/editor/mapping.schema.json": _text(general_schema()),
        ROOT / "docs/reference/steps.md": steps_page(ROOT),
        ROOT / "docs/reference/findings.md": findings_page(),
        ROOT / "docs/reference/views.md": views_page(),
    }


def stale() -> list[Path]:
    """The files that are missing, say something else, or are left over."""
    wanted = generated()
    changed = [file for file, text in wanted.items() if not file.is_file() or file.read_text("utf-8") != text]
    return changed + [file for file in (ROOT / "schemas/canonical").glob("*.json") if file not in wanted]


def write() -> None:
    """Write what is stale and remove what is left over."""
    wanted = generated()
    for file in stale():
        if file in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], "utf-8")
        else:
            file.unlink()
        print(file.relative_to(ROOT))


def _schema(model: type[BaseModel]) -> str:
    return _text(model.model_json_schema(mode="serialization"))


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        left = stale()
        print("\n".join(f"stale: {file.relative_to(ROOT)}; run tools/generate.py" for file in left))
        sys.exit(1 if left else 0)
    write()

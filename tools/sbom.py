"""Writes the bill of materials of a release (CycloneDX 1.6, JSON) from the lock: the same lock, the same bytes.

python -m tools.sbom [FILE]      dist/sbom.cdx.json
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from kiezbruecke import __version__
from kiezbruecke.machine import write_file
from tools import audit
from tools.lock import OURSELVES, ROOT, Locked, locked, shipped

FILE = ROOT / "dist" / "sbom.cdx.json"
_NAMESPACE = UUID("6b1f2f0a-8f56-5d0c-9d0e-6b7a1c5e2026")


def sbom() -> str:
    """The whole document."""
    packages = locked()
    ours = shipped(packages)
    licences = audit.listed()
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(_NAMESPACE, _digest(packages))}",
        "version": 1,
        "metadata": {"component": _ourselves()},
        "components": [_component(one, licences[one.name], is_shipped=one.name in ours) for one in packages],
        "dependencies": _dependencies(packages),
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _digest(packages: list[Locked]) -> str:
    return hashlib.sha256(f"{__version__} {packages}".encode()).hexdigest()


def _ourselves() -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": _reference("kiezbruecke", __version__),
        "name": "kiezbruecke",
        "version": __version__,
        "licenses": [{"license": {"id": "EUPL-1.2"}}],
        "purl": _reference("kiezbruecke", __version__),
    }


def _component(one: Locked, licence: str, *, is_shipped: bool) -> dict[str, Any]:
    """A package; its hashes are those of every file that the lock lets in: one of each platform."""
    return {
        "type": "library",
        "bom-ref": _reference(one.name, one.version),
        "name": one.name,
        "version": one.version,
        "scope": ("optional" if one.when else "required") if is_shipped else "excluded",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in one.hashes],
        "licenses": [{"expression": licence}],
        "purl": _reference(one.name, one.version),
    }


def _dependencies(packages: list[Locked]) -> list[dict[str, Any]]:
    everybody = [(OURSELVES, _reference("kiezbruecke", __version__))]
    everybody += [(one.name, _reference(one.name, one.version)) for one in packages]
    return [
        {"ref": ref, "dependsOn": [_reference(one.name, one.version) for one in packages if name in one.asked_by]}
        for name, ref in everybody
    ]


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


if __name__ == "__main__":
    goal = Path(sys.argv[1]) if sys.argv[1:] else FILE
    write_file(goal, sbom())
    print(f"{goal}: {len(locked())} packages")

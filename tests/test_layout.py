"""Nothing lies where it does not belong (design §4, style §1)."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("kiezbruecke", "connectors")
PARTS = ("connector.yaml", "settings.py", "README.md")


def python_files(*folders: Path) -> list[Path]:
    return [file for folder in folders for file in folder.rglob("*.py") if "__pycache__" not in file.parts]


def imports_of(file: Path) -> set[str]:
    """The first names of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _layer(text: str) -> set[str]:
    """The rooms of one storey."""
    return {room.strip() for room in text.split("|")}


def test_content_holds_no_python(root: Path) -> None:
    assert python_files(root / "mappings", root / "schemas") == []


def test_tests_are_no_packages(root: Path) -> None:
    """tests/connectors/__init__.py would shadow the real package."""
    assert list((root / "tests").rglob("__init__.py")) == []


def test_only_one_folder_and_the_dags_import_airflow(root: Path) -> None:
    allowed = (root / "kiezbruecke" / "airflow", root / "dags")
    files = python_files(root / "kiezbruecke", root / "connectors", root / "dags")

    wrong = [
        file for file in files if "airflow" in imports_of(file) and not any(file.is_relative_to(a) for a in allowed)
    ]
    assert wrong == []


def test_only_the_soap_connectors_import_zeep(root: Path) -> None:
    allowed = {"_soap.py", "xta", "hkr"}
    files = python_files(root / "kiezbruecke", root / "connectors", root / "dags")

    wrong = [
        file
        for file in files
        if "zeep" in imports_of(file) and file.relative_to(root / "connectors").parts[0] not in allowed
    ]
    assert wrong == []


def test_only_the_edge_asks_the_environment(root: Path) -> None:
    """What is below is told: else two houses in one process, or a task in another folder, would meet in one ledger."""
    package = root / "kiezbruecke"
    edge = {package / name for name in ("airflow", "cli", "testing", "edge.py", "content")}
    edge.add(package / "standards" / "files.py")  # where this machine keeps official schemas; no content, no state

    asking = [file for file in python_files(package) if "os.environ" in file.read_text("utf-8")]
    assert [file for file in asking if not any(file.is_relative_to(place) for place in edge)] == []


def test_the_drawing_in_contributing_is_what_import_linter_holds(root: Path) -> None:
    """A drawing that has drifted sends people to the wrong room."""
    drawing = (root / "CONTRIBUTING.md").read_text("utf-8").split("## The house")[1].split("```")[1]
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    held = next(contract["layers"] for contract in contracts if contract["name"] == "arrows point one way")

    drawn = [_layer(part) for part in drawing.split(">")]

    assert drawn == [_layer(part.replace("kiezbruecke.", "")) for part in held]


def test_dags_hold_no_logic(root: Path) -> None:
    for file in (root / "dags").glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        assert len(tree.body) <= 4, f"{file.name} does more than call kiezbruecke.airflow"
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.If | ast.For)]


def test_airflow_would_notice_every_dag_file(root: Path) -> None:
    """A file without both words is skipped, silently."""
    for file in (root / "dags").glob("*.py"):
        text = file.read_text("utf-8").lower()
        assert "airflow" in text, file.name
        assert "dag" in text, file.name


@pytest.mark.parametrize("part", PARTS)
def test_every_connector_is_whole(root: Path, part: str) -> None:
    packages = [folder for folder in (root / "connectors").iterdir() if (folder / "__init__.py").exists()]
    connectors = [folder for folder in packages if folder.name != "_tables"]  # what several share; _template is one

    assert [folder.name for folder in connectors if not (folder / part).exists()] == []


def test_every_connector_is_an_entry_point(root: Path) -> None:
    points = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    folders = {manifest.parent.name for manifest in (root / "connectors").glob("[!_]*/connector.yaml")}

    assert points["kiezbruecke.connectors"] == {name: f"connectors.{name}" for name in sorted(folders)}


def test_every_mapping_has_examples(root: Path) -> None:
    for mapping in (root / "mappings").glob("*bound/*/mapping.yaml"):
        assert any((mapping.parent / "examples").iterdir()), f"{mapping.parent.name} has no examples"


def test_every_module_says_why_it_exists(root: Path) -> None:
    silent = [
        file
        for file in python_files(
            *(root / package for package in PACKAGES), root / "dags", root / "tools", root / "demo"
        )
        if not ast.get_docstring(ast.parse(file.read_text("utf-8"))) and "migrations" not in file.parts
    ]
    assert silent == []


def test_the_licence_is_whole(root: Path) -> None:
    text = (root / "LICENSE").read_text("utf-8")

    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in text
    assert "All other changes or additions to this Appendix require the production of a new" in text
    assert len(re.findall(r"[A-Za-zé0-9]+", text)) == 2239  # the words of the official English text


NAMESAKES = {  # a class name that stands in several rooms, and why it may
    "Answer": "of a person on the to-do list, and of a server (soap)",
    "Balance": "an area's money in our books, and in theirs (hkr)",
    "Counts": "of residents on the platform, and of a stage",
    "Place": "in a file, and in the budget's structure (hkr)",
    "Point": "on the map, and on the to-do list",
    "Taken": "an item by the ledger, a message or batch by an outside system",
    "Verdict": "on the chains of the ledger, and on an order (hkr)",
    "Line": "of a table that people see, of a decision sheet, of an answer, and to a server",
}


def class_places(root: Path) -> dict[str, set[Path]]:
    """The files of every class that is not private, by its name."""
    found: dict[str, set[Path]] = {}
    for file in python_files(*(root / package for package in PACKAGES)):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, set()).add(file)
    return found


def test_a_class_name_means_one_thing(root: Path) -> None:
    """Whoever reads `Place` must not ask which. Connectors do not know each other, so they may use the same words."""
    connectors = root / "connectors"
    wrong = {
        name: sorted(str(file.relative_to(root)) for file in files)
        for name, files in class_places(root).items()
        if len(files) > 1
        and name not in NAMESAKES
        and len({file.relative_to(root).parts[:2] for file in files if file.is_relative_to(connectors)}) < len(files)
    }
    assert wrong == {}

"""The templates of documents: content that can be wrong, and then says where; data that stays data."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kiezbruecke.documents import DEFAULT, NOTICE, ORDER, PARTS, Templates, find_templates
from kiezbruecke.documents.sample import samples, samples_of
from kiezbruecke.errors import ConfigurationError, RecordError
from tests.pdf_words import words_of

ROOT = Path(__file__).parents[2]
HOME = ROOT / "mappings" / "documents"
SHIPPED = sorted(file.parent.name for file in HOME.glob("*/beschluss.typ"))
DAY = date(2026, 3, 12)

Own = Callable[..., Templates]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A district's own templates: the shipped ones, with one file written anew."""
    folder = tmp_path / "mappings" / "documents" / "nachbarbezirk"
    shutil.copytree(ROOT / "mappings" / "documents" / DEFAULT, folder)

    def make(text: str = "", file: str = "beschluss.typ") -> Templates:
        if text:
            (folder / file).write_text(text, "utf-8")
        return find_templates(tmp_path, "nachbarbezirk")

    return make


def body(text: str) -> str:
    """A whole template around a few lines; they begin in line 4."""
    settings = '#set document(title: "a")\n#set text(font: "DejaVu Sans", fallback: false)\n'
    return f"{settings}#let data = json(bytes(sys.inputs.data))\n{text}\n"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", SHIPPED)
def test_what_we_ship_sets_every_case(name: str, part: str) -> None:
    """Full and bare, from the platform and from paper, without an error or a warning."""
    find_templates(ROOT, name).check(part)


def test_a_district_may_have_its_own(own: Own) -> None:
    """Other words, other order, other fields: no code of ours is asked."""
    templates = own(body("#data.decision.outcome durch #data.organisation"))
    pdf = templates.typeset("beschluss", {"decision": {"outcome": "angenommen"}, "organisation": "BA Mitte"}, DAY)

    assert "angenommen durch BA Mitte" in words_of(pdf)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("#unknown", "unknown variable: unknown"),
        ("#data.decision.nonsense", "nonsense"),
        ("#(1 + [a)", "unclosed delimiter"),
        ("#let f(n) = f(n + 1)\n#f(0)", "depth exceeded"),
        ("#while true {}", "always true"),
        ('#text(font: "Comic Sans MS")[a]', "unknown font"),
        ("#sym.arrow.r.squiggly 中", "could not be displayed"),
    ],
)
def test_a_broken_template_says_file_and_line(own: Own, text: str, what: str) -> None:
    """One line for whoever wrote it; the run stops, no case is to blame."""
    with pytest.raises(ConfigurationError) as caught:
        own(body(text)).check("beschluss")

    assert "nachbarbezirk/beschluss.typ:4:" in caught.value.line()
    assert what in caught.value.line()


def test_a_broken_template_stops_the_first_document(own: Own) -> None:
    """Also where nobody has checked it before."""
    values, _ = next(samples())
    with pytest.raises(ConfigurationError, match=r"beschluss\.typ:4:.*unknown variable"):
        own(body("#unknown")).typeset("beschluss", values, DAY)


def test_a_case_that_a_template_cannot_take_is_set_aside_without_its_words(own: Own) -> None:
    """The others go on; typst would quote the text."""
    values, _ = next(samples())
    templates = own(body('#if data.title == "Kanarienvogel" { panic(data.title) }'))

    templates.typeset("beschluss", values, DAY)
    with pytest.raises(RecordError) as caught:
        templates.typeset("beschluss", {**values, "title": "Kanarienvogel"}, DAY)

    assert "beschluss.typ:4:" in caught.value.line()
    assert "Kanarienvogel" not in caught.value.line()


@pytest.mark.parametrize(
    "text",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../../../etc/passwd")',
        '#read("../kiezkasse/blatt.typ")',
        '#image("/etc/hostname")',
    ],
)
def test_a_template_reads_nothing_outside_its_folder(own: Own, text: str) -> None:
    """Neither the machine's files nor another district's."""
    with pytest.raises(ConfigurationError, match=r"beschluss\.typ:4:"):
        own(body(text)).check("beschluss")


@pytest.mark.parametrize(
    "text",
    [
        '#import "@preview/cetz:0.4.2": canvas',
        '#import("@preview/cetz:0.4.2")',
        '#let name = "@preview/cetz:0.4.2"\n#import name',
        '#include "../kiezkasse/blatt.typ"',
        "#eval(data.title)",
    ],
)
def test_a_template_loads_nothing_and_reads_no_data_as_code(own: Own, text: str) -> None:
    """No package from the network, no file of somebody else's, and what residents wrote is never run."""
    with pytest.raises(ConfigurationError, match=r"beschluss\.typ:\d+:\d+: .* is not allowed here"):
        own(body(text))


def test_a_link_leads_out_of_no_folder(own: Own, tmp_path: Path) -> None:
    """typst would follow it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("a")
    (tmp_path / "mappings/documents/nachbarbezirk/inside.txt").symlink_to(secret)

    with pytest.raises(ConfigurationError, match=r"inside\.txt: leads out of the folder"):
        own()


@pytest.mark.parametrize("name", ["nirgends", "../kiezkasse", "", "Kiezkasse"])
def test_a_name_without_templates_is_refused(name: str) -> None:
    """And the line says which there are."""
    with pytest.raises(ConfigurationError, match="expected kiezkasse"):
        find_templates(ROOT, name)


def test_a_template_that_is_missing_is_named(own: Own, tmp_path: Path) -> None:
    """Each document of a case needs its own."""
    (tmp_path / "mappings/documents/nachbarbezirk/vorschlag.typ").unlink()

    with pytest.raises(ConfigurationError, match=r"vorschlag\.typ: the template is missing"):
        own()


def test_a_changed_template_is_looked_at_and_used_again(own: Own) -> None:
    """A deployment while the process lives."""
    values, _ = next(samples())
    before = own(body("Alt")).typeset("beschluss", values, DAY)
    after = own(body("Neues Wort")).typeset("beschluss", values, DAY)

    assert "Alt" in words_of(before)
    assert "Neues Wort" in words_of(after)
    with pytest.raises(ConfigurationError, match="not allowed"):
        own(body('#import "@local/a:1.0.0"'))


def test_a_template_knows_no_other_time_than_the_documents(own: Own) -> None:
    """Same values, same bytes, whenever."""
    pdf = own(body("#datetime.today().display()")).typeset("beschluss", {}, DAY)

    assert "2026-03-12" in words_of(pdf)


def test_the_page_names_all_data() -> None:
    """Whoever writes a template reads there what it may show, and nothing that is not there."""
    values = {name: value for part in (*PARTS, NOTICE, ORDER) for name, value in next(samples_of(part))[0].items()}
    parts = {f"{name}.{field}" for name, value in values.items() if isinstance(value, dict) for field in value}
    page = re.findall(r"^\|(.*?)\|", (HOME / "README.md").read_text("utf-8"), re.MULTILINE)

    assert set(re.findall(r"`([\w.]+)`", " ".join(page))) == (parts | {*values, "day"}) - {"decision", "grant", "order"}


def test_typst_is_loaded_for_the_first_document_and_not_before() -> None:
    """Most runs make none."""
    code = "import sys, kiezbruecke.pipeline; print('typst' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.strip() == "False"

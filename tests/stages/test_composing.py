"""What a message carries beside its XML: the documents of its case, in the look that the route names."""

from __future__ import annotations

from kiezbruecke.ledger.claims import find_message
from kiezbruecke.standards import xdomea
from tests.pdf_words import words_of
from tests.world import World, line

OWN = """#set document(title: "Beschluss")
#set text(font: "DejaVu Sans", fallback: false)
#let data = json(bytes(sys.inputs.data))
Bezirksamt Nachbarbezirk: #data.fremdkennzeichen
"""


def sheets(world: World) -> list[str]:
    """The words of the documents that the e-file route has prepared."""
    (head,) = world.messages("eakte-tk")
    message = find_message(world.ledger, head.key)
    assert message is not None
    return [words_of(content) for content in xdomea.unpack(message.payload).files.values()]


def test_the_sheets_say_where_the_message_belongs(world: World) -> None:
    """Office, recorder and Fremdkennzeichen: whoever finds the sheet finds the case."""
    world.drop(line("P-1"))
    world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")
    first, second = sheets(world)

    for words in (" ".join(first.split()), " ".join(second.split())):
        assert "Fremdkennzeichen KK26-090416-P0001-E1" in words
        assert "Dienststelle Bezirksamt Treptow-Köpenick, Sozialraumorientierte Planungskoordination (SPK) Bez" in words
        assert "Erfasst von SPK 1" in words


def test_a_route_may_name_documents_of_its_own(odd_world: World) -> None:
    """A second district brings a folder, and no code."""
    folder = odd_world.content / "mappings" / "documents" / "nachbarbezirk"
    folder.mkdir()
    for part in ("vorschlag", "beschluss"):
        (folder / f"{part}.typ").write_text(OWN, "utf-8")
    odd_world.route("kk-tk-eakte", **{"with": {"documents": "nachbarbezirk"}})
    odd_world.drop(line("P-1"))
    odd_world.run("kk-tk-budgets", "kk-tk-beschluesse", "kk-tk-eakte")

    assert sheets(odd_world) == ["\nBezirksamt Nachbarbezirk: KK26-090416-P0001-E1"] * 2

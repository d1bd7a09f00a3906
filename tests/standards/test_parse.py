"""Foreign XML: nothing is expanded, nothing fetched, and a refusal shows no content (faults F31, F32)."""

from __future__ import annotations

import pytest
from lxml import etree

from kiezbruecke.errors import RecordError
from kiezbruecke.standards.parse import parse_each
from kiezbruecke.standards.store import parse

LAUGHS = "<!DOCTYPE a [<!ENTITY x 'ha'>" + "".join(
    f"<!ENTITY x{n} '{'&x' + str(n - 1 or '') + ';'}{'&x' + str(n - 1 or '') + ';'}'>" for n in range(1, 30)
)
BAD = {
    "entity from a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "billion laughs": (LAUGHS + "]><a>&x29;</a>").encode(),
    "laughs in an attribute": (LAUGHS + "]><a b='&x29;'/>").encode(),
    "external document type": b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>',
    "document type in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "document type behind a comment": b"<!-- x --><?pi?><!DOCTYPE a><a/>",
    "depth": b"<a>" * 5000 + b"</a>" * 5000,
    "huge text": b"<a>" + b"x" * 10_500_000 + b"</a>",
    "cut in half": b"<a><b>2",
    "nothing": b"",
    "no XML": b"PK\x03\x04",
    "wrong encoding": "<?xml version='1.0' encoding='UTF-8'?><a>Müggelsee</a>".encode("latin-1"),
    "control character": b"<a>\x01</a>",
    "UTF-32 with a document type": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-32"),
    "UTF-16 without a mark, with a document type": '<?xml version="1.0"?><!DOCTYPE a><a/>'.encode("utf-16-be"),
    **{
        f"declared as {name}": f'<?xml version="1.0" encoding="{name}"?><a>+APw-</a>'.encode()
        for name in ("UTF-7", "shift_jis", "big5", "idna", "punycode", "rot13", "hex", "UTF-32", "klingon", "", "ucs-4")
    },
    "ASCII that is none": '<?xml version="1.0" encoding="US-ASCII"?><a>ü</a>'.encode(),
    "undefined entity": b"<a>&erika;</a>",
}


@pytest.mark.parametrize("case", BAD)
def test_hostile_or_broken_xml_is_refused(case: str) -> None:
    """One readable German line, and nothing of the content in it."""
    with pytest.raises(RecordError) as caught:
        parse(BAD[case], "Antwort")

    assert caught.value.line().startswith("Antwort")
    assert "erika" not in caught.value.line()


@pytest.mark.parametrize(
    "data",
    [
        b"<a>Sommerfest</a>",
        b"\xef\xbb\xbf<a>Sommerfest</a>",
        '<?xml version="1.0" encoding="UTF-16"?><a>Sommerfest</a>'.encode("utf-16"),
        b"<!-- x --><a>Sommerfest</a>",
        '<?xml version="1.0"?><a>Sommerfest</a>'.encode("utf-16-be"),
        b"\r\n <?xml version='1.0' encoding='ISO-8859-1'?><a>Sommerfest</a>",
        b"<?xml version='1.0' encoding='UTF-16'?><a>Sommerfest</a>",
        b"<?xml version='1.0' encoding='UTF-8'?><a>Sommerfest<!-- <!DOCTYPE --></a>",
    ],
)
def test_plain_xml_is_read(data: bytes) -> None:
    """A byte order mark and other encodings are legal."""
    assert parse(data).text == "Sommerfest"


def test_nothing_is_included_or_fetched() -> None:
    """XInclude and schemaLocation stay what they are: text in the document."""
    root = parse(
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xsi:schemaLocation="urn:a http://example.org/a.xsd"><xi:include href="/etc/passwd"/></a>'
    )

    assert etree.QName(root[0]).localname == "include"
    assert len(root[0]) == 0


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "ISO-8859-15", "windows-1252"])
def test_umlauts_are_the_same_in_every_encoding(encoding: str) -> None:
    """What is read is read right; everything else is refused."""
    document = f'<?xml version="1.0" encoding="{encoding}" standalone="yes"?>\n<a>Müggelsee</a>'

    assert parse(document.encode(encoding)).text == "Müggelsee"


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("case", BAD)
def test_hostile_or_broken_xml_is_refused_in_pieces_too(case: str, size: int) -> None:
    """Whatever piece it stands in, and before an element of it is handed out."""
    if size == 1 and len(BAD[case]) > 100_000:
        pytest.skip("ten million pieces")
    pieces = (BAD[case][start : start + size] for start in range(0, len(BAD[case]), size))
    with pytest.raises(RecordError) as caught:
        list(parse_each(pieces, what="Antwort"))

    assert caught.value.line().startswith("Antwort")
    assert "erika" not in caught.value.line()


ROWS = "<r xmlns='urn:x'><!-- x --><kopf/><s n='1'><s>Bank</s></s><u><s n='2'>Müll</s></u></r>"


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize(("name", "found"), [("s", ["s1", "s2"]), ("", ["kopf", "s1", "u"])])
def test_elements_come_one_by_one(size: int, charset: str, name: str, found: list[str]) -> None:
    """Those of a name, the outermost of them; or all below the root. In any charset, in pieces of any size."""
    data = f"<?xml version='1.0' encoding='{charset}'?>{ROWS}".encode(charset)
    pieces = (data[start : start + size] for start in range(0, len(data), size))

    assert [etree.QName(one).localname + one.get("n", "") for one in parse_each(pieces, name)] == found


def test_a_name_that_no_element_has_is_an_error() -> None:
    """It is misspelt, and nothing would be read; where there is nothing at all, nothing is wrong."""
    with pytest.raises(RecordError) as caught:
        list(parse_each([ROWS.encode()], "x", "in.xml"))
    assert caught.value.line().startswith("in.xml: hat andere Elemente, aber keines mit dem Namen „x“")
    assert list(parse_each([b"<r/>"], "x")) == []


def test_elements_that_were_handed_out_are_forgotten() -> None:
    """Or a long document would stand in memory at its end; libxml2 reads a few elements ahead."""
    pieces = [b"<r>", *(b"<w><s>x</s></w>" for _ in range(10_000)), b"</r>"]
    left = [len(one.getroottree().getroot()) for one in parse_each(pieces, "s")]

    assert max(left) < 500

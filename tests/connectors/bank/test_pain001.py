"""The file that goes out: by the rules of the banks, exact to the cent, the same bytes every time."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.bank.characters import ALLOWED, written
from connectors.bank.pain001 import Block, Debtor, payments_of, write
from connectors.bank.payment import NAMESPACE, Payment
from connectors.bank.settings import Settings
from connectors.bank.target import BankTarget
from kiezbruecke.connector import BatchHead, Connection, Message
from kiezbruecke.errors import ConfigurationError, RecordError
from kiezbruecke.mapping.values import Unusable
from kiezbruecke.standards.store import parse, validator

from .conftest import CONTEXT, DUE, EXTRA, ISO, PAYEE, ROOT, WHEN, Counter, message, reference

P = {"p": NAMESPACE}
HEAD = BatchHead("KK26-S-0001", "bank-tk", WHEN, 2026)
DEBTOR = Debtor("Bezirksamt", "DE02100500000054540402")
OFFLINE = "http://127.0.0.1:9"


def target(**extra: object) -> BankTarget:
    return BankTarget(Connection("bank-tk", "kb_bank", OFFLINE, extra={**EXTRA, **extra}), CONTEXT)


def composed(*messages: Message, head: BatchHead = HEAD, **extra: object) -> bytes:
    return target(**extra).compose(head, messages, ())[1]


def texts(body: bytes, path: str) -> list[str]:
    found = parse(body).xpath(path, namespaces=P)
    assert isinstance(found, list)
    return [str(one.text) for one in found if isinstance(one, etree._Element)]


def refused(*messages: Message, **extra: object) -> str:
    with pytest.raises(RecordError) as raised:
        composed(*messages, **extra)
    return str(raised.value)


def test_a_block_per_day_counts_and_adds_up() -> None:
    """Count and sum stand in the head and in each block, in cents; the earliest day comes first."""
    body = composed(
        message(reference(3), "0.01", due="2026-11-26"),
        message(reference(1), "2600.00"),
        message(reference(2), "499.99"),
    )

    assert texts(body, "//p:NbOfTxs") == ["3", "2", "1"]
    assert texts(body, "//p:CtrlSum") == ["3100.00", "3099.99", "0.01"]
    assert texts(body, "//p:PmtInfId") == ["KK26-S-0001-1", "KK26-S-0001-2"]
    assert texts(body, "//p:EndToEndId") == [reference(1), reference(2), reference(3)]
    assert texts(body, "//p:CreDtTm") == ["2026-11-25T06:30:00Z"]
    assert payments_of(body) == {
        "KK26-S-0001-1": (reference(1), reference(2)),
        "KK26-S-0001-2": (reference(3),),
    }


def test_nothing_is_to_be_executed_before_the_file_is_made() -> None:
    """An order may wait for its marks beyond its day; a bank refuses a day that is over."""
    body = composed(message(reference(2), due="2026-11-20"), message(reference(1)))

    assert texts(body, "//p:ReqdExctnDt/p:Dt") == ["2026-11-25"]
    assert texts(body, "//p:EndToEndId") == [reference(1), reference(2)]


def test_the_same_payments_give_the_same_bytes() -> None:
    """In whatever order they are claimed: a file is stored before it is sent, and its digest is its proof."""
    messages = [message(reference(number), "12.34") for number in range(5)]

    assert composed(*messages) == composed(*reversed(messages))


@pytest.mark.official
@pytest.mark.parametrize("characters", ["latin", "dk"])
def test_the_official_schema_takes_it(official: Callable[[str], etree.XMLSchema], characters: str) -> None:
    """Asked of libxml2 and of xmlschema, which also gives names and sums back."""
    body = composed(
        message(reference(1), "999999999.99", name="Müller & Söhne <Ufer>"),
        message(reference(2), "0.01", address=json.dumps({"TwnNm": "Berlin", "Ctry": "DE"})),
        characters=characters,
    )

    official("pain.001.001.09").assertValid(parse(body))
    read = xmlschema.XMLSchema(str(ISO / "pain.001.001.09.xsd")).to_dict(BytesIO(body))
    block = read["CstmrCdtTrfInitn"]["PmtInf"][0]
    names = [one["Cdtr"]["Nm"] for one in block["CdtTrfTxInf"]]
    assert names[0] == ("Mueller + Soehne .Ufer." if characters == "latin" else "Müller & Söhne .Ufer.")
    assert block["CtrlSum"] == Decimal("1000000000.00")


@pytest.mark.official
def test_our_profile_is_never_wider_than_the_official_schema(official: Callable[[str], etree.XMLSchema]) -> None:
    """Every single change of a valid file that the official schema refuses, our profile refuses, too."""
    body = composed(message(reference(1)), message(reference(2), due="2026-11-26"))
    ours, theirs = validator(ROOT, "pain", "001.001.09"), official("pain.001.001.09")
    assert ours is not None
    changed = 0
    for index in range(len(list(parse(body).iter()))):
        for spoil in (_drop, _double, _fill):
            root = parse(body)
            spoil(list(root.iter())[index])
            if not theirs.validate(root):
                changed += 1
                assert ours.problems(root), (index, spoil.__name__)
    assert changed > 80


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _double(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.append(etree.fromstring(etree.tostring(element)))


def _fill(element: etree._Element) -> None:
    element.text = "x" * 200


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"amount": "0.00"}, "der Betrag liegt nicht zwischen"),
        ({"amount": "1000000000.00"}, "der Betrag liegt nicht zwischen"),
        ({"amount": "1.001"}, "kein Eurobetrag"),
        ({"amount": "-5.00"}, "kein Eurobetrag"),
        ({"amount": "1e9"}, "kein Eurobetrag"),
        ({"amount": "NaN"}, "kein Eurobetrag"),
        ({"amount": "5,00"}, "kein Eurobetrag"),
        ({"currency": "CHF"}, "kein Eurobetrag"),
        ({"iban": "DE02500105170137075031"}, "die IBAN ist ungültig"),
        ({"iban": "DE0250010517013707503"}, "die IBAN ist ungültig"),
        ({"iban": "de02500105170137075030"}, "die IBAN ist ungültig"),
        ({"name": "🎉"}, "nichts Lesbares"),
        ({"name": "Ελλάδα"}, "nichts Lesbares"),
        ({"due": "31.12.2026"}, "kein Datum"),
        ({"address": json.dumps({"AdrLine": "Musterstraße 1"})}, "Anschrift in Zeilen"),
        ({"address": json.dumps({"TwnNm": "Berlin"})}, "Anschrift ist unvollständig"),
        ({"address": json.dumps({"TwnNm": "Berlin", "Ctry": "Deutschland"})}, "Anschrift ist unvollständig"),
    ],
)
def test_what_a_bank_would_refuse_does_not_leave(given: dict[str, str], why: str) -> None:
    """One German line names the payment and the rule, and no value."""
    values = {"amount": "850.00", **given}
    line = refused(message(reference(1)), message(reference(2), values.pop("amount"), **values))

    assert why in line
    assert line.startswith(f"Zahlung {reference(2)}: ")
    assert not [value for value in given.values() if value in line]


def test_a_payment_that_is_twice_in_a_file_does_not_leave() -> None:
    """Nobody may be paid twice, and a bank would refuse the file."""
    for other in ({"amount": "1.00"}, {"due": "2026-12-24"}):
        line = refused(message(reference(1)), message(reference(2)), message(reference(1), **other))
        assert line == f"Zahlung {reference(1)}: steht zweimal in der Datei"
    one = Payment(reference(1), DUE, 100, "Verein", PAYEE, purpose="Kiezkasse")
    with pytest.raises(RecordError, match="zweimal"):
        write(BytesIO(), HEAD, DEBTOR, [Block(DUE, 2, 200, [one, one])])


def test_an_end_to_end_id_is_the_messages_own() -> None:
    """No answer would find back."""
    other = message(reference(1))
    line = refused(Message(**{**vars(other), "reference": reference(2)}))

    assert "nicht das Fremdkennzeichen" in line


@pytest.mark.parametrize("name", ["/KK26", "KK26/", "KK//26", "KK26 1", "Ä1", "x" * 36])
def test_a_batch_whose_name_a_bank_would_refuse_does_not_leave(name: str) -> None:
    """MsgId: at most 35 characters, no slash at its ends, not two of them together."""
    with pytest.raises(RecordError, match="taugt nicht als MsgId"):
        target().compose(BatchHead(name, "bank-tk", WHEN, 2026), [message(reference(1))], ())


def test_a_test_route_pays_nobody() -> None:
    """pain.001 knows no sign for a test: it goes only where the connection says that nothing is paid there."""
    head = BatchHead("KK26-S-0001", "bank-tk", WHEN, 2026, test=True)
    with pytest.raises(RecordError, match="Teststrecke"):
        target().compose(head, [message(reference(1))], ())

    assert target(test_bank=True).compose(head, [message(reference(1))], ())


def test_a_changed_name_and_a_payment_alone_are_told_without_the_name(
    gateway: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    """A changed name may fail the bank's look at the payee; a file of one payment cannot opt out of it."""
    with caplog.at_level(logging.INFO):
        gateway.send(message(reference(1), name="Jürgen Groß"))

    assert "1 name(s) written in the characters 'latin'" in caplog.text
    assert "VoP" in caplog.text
    assert not [word for word in ("Jürgen", "Juergen", PAYEE) if word in caplog.text]


def test_a_block_that_is_not_what_it_says_is_no_file() -> None:
    """Count and sum stand before the payments: a stream that changes meanwhile is noticed."""
    one = Payment("KK26-1-1-Z1", DUE, 100, "Verein", PAYEE, purpose="Kiezkasse")
    for count, total in ((2, 100), (1, 101)):
        with pytest.raises(RecordError, match="nicht die angekündigte"):
            write(BytesIO(), HEAD, DEBTOR, [Block(DUE, count, total, [one])])


_CENTS = st.integers(1, 99_999_999_999)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(_CENTS, st.integers(0, 3)), min_size=1, max_size=30))
def test_the_sums_are_exact(given_: list[tuple[int, int]]) -> None:
    """Added in cents by us, in Decimal by the reader."""
    messages = [
        message(reference(place), f"{cents // 100}.{cents % 100:02d}", due=f"2026-12-{day + 1:02d}")
        for place, (cents, day) in enumerate(given_)
    ]
    body = composed(*messages)

    amounts = [Decimal(one) for one in texts(body, "//p:InstdAmt")]
    sums = [Decimal(one) for one in texts(body, "//p:CtrlSum")]
    assert sum(amounts) == sums[0] == sum(sums[1:]) == Decimal(sum(cents for cents, _ in given_)) / 100
    assert texts(body, "//p:NbOfTxs")[0] == str(len(messages))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["latin", "dk"]))
def test_every_name_is_written_in_the_banks_characters_or_refused(name: str, characters: str) -> None:
    """And in at most 70 of them; written again it stays the same."""
    try:
        found = written(name, characters, 70)  # type: ignore[arg-type]
    except Unusable:
        return

    assert {*found} <= ALLOWED[characters]  # type: ignore[index]
    assert 0 < len(found) <= 70
    assert written(found, characters, 70) == found  # type: ignore[arg-type]


def test_characters_of_german_banks_stay_where_the_bank_takes_them() -> None:
    """A name should be the one that the bank knows."""
    names = [written("Müller & Söhne – „Groß“", one, 70) for one in ("latin", "dk")]  # type: ignore[arg-type]

    assert names == ["Mueller + Soehne - 'Gross'", "Müller & Söhne - 'Groß'"]


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ({"debtor_iban": "DE02100500000054540403"}, "debtor_iban is no IBAN"),
        ({"debtor_bic": "X"}, "debtor_bic is no BIC"),
        ({"debtor_name": "🎉"}, "debtor_name has no character"),
        ({"characters": "utf"}, "characters"),
        ({"path": "var/bank"}, "host and path are both given"),
        ({"unknown": "x"}, "unknown"),
        ({"address": "x"}, "extra must not hold address"),
    ],
)
def test_a_connection_that_cannot_work_is_named(extra: dict[str, str], what: str) -> None:
    """By its field, without the account."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_connection(Connection("bank-tk", "kb_bank", OFFLINE, extra={**EXTRA, **extra}))

    assert what in str(raised.value)
    assert "DE0210050000005454040" not in str(raised.value)


def test_a_connection_needs_a_way() -> None:
    """An address, or a folder."""
    with pytest.raises(ConfigurationError):
        Settings.from_connection(Connection("bank-tk", "kb_bank", extra=EXTRA))

    assert Settings.from_connection(Connection("b", "kb_bank", extra={**EXTRA, "path": "x"})).path == Path.cwd() / "x"


def test_every_field_has_a_rule_of_its_own() -> None:
    """What is broken twice is told twice, in one line."""
    line = refused(message(reference(1), "0.00", iban="DE00"))

    assert line.count(";") == 2
    assert all(word in line for word in ("Betrag", "IBAN"))


def test_the_payments_of_a_foreign_file_are_found_too() -> None:
    """Block by block, whoever wrote it."""
    file = ISO.parent.parent / "samples" / "sample_pain001.xml"
    if not file.is_file():
        pytest.skip("no samples here")

    assert [len(some) for some in payments_of(file.read_bytes()).values()] == [3]

"""Where the post goes: what is shipped reaches nobody, and whoever puts a process to use hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiezbruecke.content.owners import reaches_nobody, read_owners
from kiezbruecke.workbench.process_check import report_of


def test_no_shipped_address_can_receive_anything(root: Path) -> None:
    """Somebody would get a stranger's points every morning, with reference numbers and sums."""
    shipped = [one for owner in read_owners(root).values() for one in owner.to]

    assert shipped
    assert [one for one in shipped if not reaches_nobody(one)] == []


@pytest.mark.parametrize(
    ("address", "nobody"),
    [
        ("a@bezirk.example", True),
        ("a@x.EXAMPLE.org", True),
        ("a@mail.invalid", True),
        ("a@example.de", False),
        ("a@bezirk-example.de", False),
        ("a@myexample.com", False),
    ],
)
def test_a_domain_that_nobody_can_have_is_told_from_one_that_looks_like_it(address: str, nobody: bool) -> None:
    """RFC 2606 and 6761 name them; `example.de` is somebody's."""
    assert reaches_nobody(address) is nobody


def test_before_a_process_goes_live_its_invented_addresses_are_named(content: Path) -> None:
    """Those of its own owners and no others, until they are real ones; nothing else is held up by it."""
    file = content / "mappings/owners.yaml"
    named = [text for _, text in report_of(content, "kk-tk-2026").unread]
    assert named == ["it-betrieb@bezirk.example", "kiezkasse-tk@bezirk.example"]
    file.write_text(file.read_text("utf-8").replace("it-betrieb@bezirk.example", "it@bezirk-tk.berlin"), "utf-8")

    [(place, text)] = report_of(content, "kk-tk-2026").unread
    assert (place.partition(":")[0], text) == ("mappings/owners.yaml", "kiezkasse-tk@bezirk.example")

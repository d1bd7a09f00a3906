"""What the source hands over."""

from __future__ import annotations

from .conftest import Site


def test_all_proposals_of_a_component_come(site: Site) -> None:
    items = site.items()

    assert [item.external_id for item in items] == ["9/101", "9/102", "9/103", "9/104", "9/105"]
    assert {item.kind for item in items} == {"proposal"}

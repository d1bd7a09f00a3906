"""The rest of a user's script: platform's JSON into the record with a function of one's own."""

from __future__ import annotations

import json
from decimal import Decimal

from kiezbruecke.records import Proposal

_STATUS = {"ACCEPTED": "accepted", "REJECTED": "rejected", "CONSIDERATION": "under_review", None: "submitted"}


def proposal(body: bytes) -> Proposal:
    """The record of a proposal as the platform shows it."""
    item = json.loads(body)
    asked = item["asked_text"].rstrip("€").replace(".", "").replace(",", ".")
    return Proposal.model_validate(
        {
            "source": "meinberlin-tk",
            "external_id": str(item["pk"]),
            "reference_number": item["reference_number"],
            "process_id": "kk-tk-2026",
            "module_id": item["module"]["id"],
            "area_id": item["module"]["area"],
            "area_origin": "module",
            "url": item["detail_url"],
            "title": item["name"],
            "description_text": item["description"],
            "category": item["category"],
            "labels": item["labels"],
            "requested_amount": Decimal(asked),
            "point": item["point"],
            "point_label": item["point_label"],
            "created_at": item["created"],
            "modified_at": item["modified"],
            "source_status": item["moderator_status"],
            "source_status_label": item["get_moderator_status_display"],
            "status": _STATUS[item["moderator_status"]],
            "counts": {
                "pro": item["positive_rating_count"],
                "contra": item["negative_rating_count"],
                "comments": item["comment_count"],
                "votes": item["vote_count"],
            },
            "archived": item["is_archived"],
            "creator_name": item["creator"],
        }
    )

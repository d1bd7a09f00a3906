"""An investment, checked, and the flat body of an item that is made of it.

A field that is missing or has another type is a changed schema, never an empty value.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connectors._text import plain_text_of
from connectors.consul.listing import Node
from connectors.consul.options import Options
from kiezbruecke.records.base import MOST_MONEY

Number = Annotated[int, BeforeValidator(lambda found: int(found) if _is_number(found) else found)]


def _is_number(found: object) -> bool:
    return isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 18


class _Strict(BaseModel):
    """What is asked for is there; what comes besides is none of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Author(_Strict):
    """Whose account it is, as everybody sees it."""

    username: str | None


class Investment(_Strict):
    """A node of the investments. `price` is what the administration has set, in whole euros."""

    id: Annotated[Number, Field(gt=0)]
    title: str = Field(min_length=1)
    description: str | None
    location: str | None
    price: Annotated[Number, Field(ge=0)] | None
    feasibility: str | None
    comments: int | None = Field(alias="comments_count")
    author: Author | None = Field(alias="public_author")


def as_known(node: Node) -> Investment | str:
    """The node as we know it, or the name of the first field that is not as it should be."""
    try:
        return Investment.model_validate(node)
    except ValidationError as error:
        return str(error.errors(include_input=False, include_url=False)[0]["loc"][0])


def has_odd_price(investment: Investment) -> bool:
    """A sum that no budget has."""
    return investment.price is not None and investment.price > MOST_MONEY


def body_of(investment: Investment, options: Options, address: str) -> dict[str, Any]:
    """The item's body, in the order of the mapping."""
    url = f"{address}/budgets/{options.budget}/investments/{investment.id}"
    price = None if investment.price is None or has_odd_price(investment) else str(Decimal(investment.price))
    return {
        "number": str(investment.id),
        "title": investment.title,
        "description": plain_text_of(investment.description or "", url),
        "location": investment.location or "",
        "price": price,
        "feasibility": investment.feasibility or "",
        "comments": investment.comments or 0,
        "author": (investment.author.username or "") if investment.author else "",
        "budget": {"id": options.budget},
        "area": options.area_of(investment.location or ""),
        "url": url,
    }

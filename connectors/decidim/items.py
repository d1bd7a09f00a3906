"""A node of the lists, checked, and the flat body of an item that is made of it.

A field that is missing or has another type is a changed API, never an empty value. A text comes in the language that
was asked for, else in the one it was written in, else in any: machine translations last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connectors._text import plain_text_of
from kiezbruecke.records.base import MOST_MONEY

Node = Mapping[str, Any]
Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value), Field(min_length=1)]
PROJECT_NUMBERS = 9_000_000  # proposals and projects count from 1 each: a project's number begins behind all proposals


class _Strict(BaseModel):
    """What is asked for is there; what comes besides is none of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class LocalText(_Strict):
    """A text in one language."""

    locale: str
    text: str | None
    machine: bool | None = Field(None, alias="machineTranslated")


class Words(_Strict):
    """A text in all its languages; the order of `translations` is theirs, the first is what it was written in."""

    translations: Annotated[tuple[LocalText, ...], BeforeValidator(lambda found: tuple(found or ()))]

    def said(self, locale: str) -> str:
        """The best text there is, empty where there is none."""
        some = [one for one in self.translations if one.text and one.text.strip()]
        language = locale.partition("-")[0]
        best = min(some, key=lambda one: _distance(one, locale, language), default=None)
        return (best.text or "") if best else ""


def _distance(one: LocalText, locale: str, language: str) -> int:
    near = 0 if one.locale == locale else 1 if one.locale.partition("-")[0] == language else 2
    return near + (3 if one.machine and near else 0)


class Coordinates(_Strict):
    """Degrees, or nothing."""

    latitude: float | None
    longitude: float | None


class Author(_Strict):
    """Who has written it, as everybody sees it."""

    name: str
    deleted: bool


class Taxonomy(_Strict):
    """A mark that the moderators have given."""

    id: Id
    name: Words


class Related(_Strict):
    """A proposal that a project was made of."""

    id: Id
    reference: str | None


def _number(text: str) -> str:
    if not text.isdecimal() or not 0 < int(text) < PROJECT_NUMBERS:
        raise ValueError("no number")
    return text


def _moment(text: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else text


NumberedId = Annotated[Id, AfterValidator(_number)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Several = BeforeValidator(lambda found: tuple(found or ()))


class ProposalNode(_Strict):
    """A node of a proposals component."""

    id: NumberedId
    reference: str | None
    state: str | None
    withdrawn: bool | None
    answered_at: Moment | None = Field(alias="answeredAt")
    published_at: Moment | None = Field(alias="publishedAt")
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    address: str | None
    votes: int | None = Field(alias="voteCount")
    title: Words | None
    body: Words | None
    answer: Words | None
    coordinates: Coordinates | None
    authors: Annotated[tuple[Author, ...], Several]
    taxonomies: Annotated[tuple[Taxonomy, ...], Several]
    url: str = ""


class ProjectNode(_Strict):
    """A project of a budget."""

    id: NumberedId
    reference: str | None
    budget_amount: int | None
    selected: bool | None
    selected_at: Moment | None = Field(None, alias="selectedAt")
    votes: int | None = Field(None, alias="confirmedVotes")
    related: Annotated[tuple[Related | None, ...], Several] = Field((), alias="relatedProposals")
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    address: str | None
    title: Words | None
    description: Words | None
    coordinates: Coordinates | None
    taxonomies: Annotated[tuple[Taxonomy, ...], Several]
    url: str = ""


class BudgetNode(_Strict):
    """A budget with its projects, each still to be checked by itself."""

    id: Id
    total: int = Field(alias="total_budget")
    title: Words | None
    projects: Annotated[tuple[Any, ...], Several]


@dataclass(frozen=True)
class Manner:
    """How texts and places of a component are read."""

    component: int
    kind: str
    locale: str
    address: str  # of the platform, where relative links begin
    space: str = ""  # slug of the participatory process, where the route names it
    area: str | None = None
    by_budget: Mapping[str, str] = field(default_factory=dict)
    by_taxonomy: Mapping[str, str] = field(default_factory=dict)


def flaw_of(error: ValidationError) -> str:
    """The first field that is not as it should be, by its name on the wire."""
    first = error.errors(include_input=False, include_url=False)[0]
    return ".".join(str(step) for step in first["loc"] if not isinstance(step, int)) or "?"


def proposal_body(node: ProposalNode, manner: Manner) -> dict[str, Any]:
    """The flat body of an item `proposal`. `status` is their state, and `withdrawn` where the flag says so."""
    return {
        **_common(node, manner, int(node.id)),
        "url": node.url or _address(manner, f"proposals/{node.id}"),
        "description": _text(node.body, manner),
        "status": "withdrawn" if node.withdrawn else node.state,
        "withdrawn": bool(node.withdrawn) or node.state == "withdrawn",
        "answer": _text(node.answer, manner),
        "answered": _iso(node.answered_at),
        "published": _iso(node.published_at),
        "votes": node.votes,
        "authors": [author.name for author in node.authors if not author.deleted],
    }


def project_body(node: ProjectNode, budget: BudgetNode, manner: Manner) -> dict[str, Any]:
    """The flat body of an item `budget-project`. `related` names the proposals that it was made of."""
    amount = node.budget_amount
    return {
        **_common(node, manner, PROJECT_NUMBERS + int(node.id), budget),
        "url": node.url or _address(manner, f"budgets/{budget.id}/projects/{node.id}"),
        "description": _text(node.description, manner),
        "budget_amount": amount if amount is not None and 0 <= Decimal(amount) <= MOST_MONEY else None,
        "selected": node.selected,
        "selected_at": _iso(node.selected_at),
        "votes": node.votes,
        "related": [one.reference or f"Vorschlag {one.id}" for one in node.related if one is not None],
        "budget": {"id": budget.id, "title": _line(budget.title, manner), "total": budget.total},
    }


def _common(
    node: ProposalNode | ProjectNode, manner: Manner, number: int, budget: BudgetNode | None = None
) -> dict[str, Any]:
    return {
        "id": node.id,
        "number": f"{node.created_at.astimezone(UTC).year}-{number:05d}",
        "reference": node.reference,
        "title": _line(node.title, manner),
        "created": _iso(node.created_at),
        "modified": _iso(node.updated_at),
        "address": node.address or "",
        "point": _point(node.coordinates),
        "labels": [label for one in node.taxonomies if (label := _line(one.name, manner))],
        "component": {"id": manner.component, "kind": manner.kind, "area": _area(node.taxonomies, manner, budget)},
    }


def _area(taxonomies: Iterable[Taxonomy], manner: Manner, budget: BudgetNode | None) -> str | None:
    """Of the budget, of the first mark that stands for one, else of the whole component."""
    if budget is not None and budget.id in manner.by_budget:
        return manner.by_budget[budget.id]
    known = (manner.by_taxonomy[one.id] for one in taxonomies if one.id in manner.by_taxonomy)
    return next(known, manner.area)


def _address(manner: Manner, rest: str) -> str:
    """A page's address by Decidim's own rule, where the route names the process; else nothing is guessed."""
    return f"{manner.address}/processes/{manner.space}/f/{manner.component}/{rest}" if manner.space else ""


def _text(words: Words | None, manner: Manner) -> str:
    return plain_text_of(words.said(manner.locale), manner.address) if words else ""


def _line(words: Words | None, manner: Manner) -> str:
    """A title as it was typed; blanks at its ends are none of it."""
    return words.said(manner.locale).strip() if words else ""


def _iso(moment: datetime | None) -> str | None:
    """The same moment is the same text, whatever zone the server thinks in today."""
    return moment.astimezone(UTC).isoformat() if moment else None


def _point(place: Coordinates | None) -> dict[str, float] | None:
    if place is None or place.latitude is None or place.longitude is None:
        return None
    inside = abs(place.latitude) <= 90 and abs(place.longitude) <= 180
    return {"lon": place.longitude, "lat": place.latitude} if inside else None

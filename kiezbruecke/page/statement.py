"""The statement about barriers that BITV 2.0 § 7 and BGG § 12b ask of a public body's pages."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiezbruecke.page.rendering import render

router = APIRouter()


@router.get("/barrierefreiheit")
def show(request: Request) -> Response:
    """What was tested, what is known to be missing, where to complain."""
    return render(request, "statement.html")

"""The read side: what a person looks at. Tables, `--json`, later pages and mails render these views and nothing else.

Each view is read by id or by counted queries: how many statements it takes does not depend on how much there is.
"""

from kiezbruecke.desk.cases import CaseStory, cases
from kiezbruecke.desk.destinations import DestinationView, destination
from kiezbruecke.desk.messages import MessageFacts, MessageStory, message, messages
from kiezbruecke.desk.points import PointView, point, points, stored_point
from kiezbruecke.desk.recoveries import RecoveryView, recoveries
from kiezbruecke.desk.routes import (
    HouseStatus,
    PreviewView,
    RouteStatusView,
    RouteView,
    RunView,
    preview_view,
    route,
    routes,
    runs,
    status,
)
from kiezbruecke.desk.sums import AreaSums, sums
from kiezbruecke.desk.view import DeskView

__all__ = [
    "AreaSums",
    "CaseStory",
    "DeskView",
    "DestinationView",
    "HouseStatus",
    "MessageFacts",
    "MessageStory",
    "PointView",
    "PreviewView",
    "RecoveryView",
    "RouteStatusView",
    "RouteView",
    "RunView",
    "cases",
    "destination",
    "message",
    "messages",
    "point",
    "points",
    "preview_view",
    "recoveries",
    "route",
    "routes",
    "runs",
    "status",
    "stored_point",
    "sums",
]

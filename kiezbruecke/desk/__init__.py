"""The read side: what a person looks at. Tables, `--json`, later pages and mails render these views and nothing else.

Each view is read by id or by counted queries: how many statements it takes does not depend on how much there is.
"""

from kiezbruecke.desk.accounts import AccountView, show_accounts
from kiezbruecke.desk.cases import CaseFound, CaseStory, EventView, cases, find_cases, how_much_is_known
from kiezbruecke.desk.contents import (
    ReceiptView,
    SentFile,
    SentFileView,
    documents,
    note_case_opening,
    open_document,
    receipts,
)
from kiezbruecke.desk.destinations import DestinationView, destination
from kiezbruecke.desk.evaluation import AreaEvaluation, Duration, Evaluation, WaitingCase, evaluate
from kiezbruecke.desk.messages import MessageFacts, MessageStory, message, messages, refuse_to_show, stored_message
from kiezbruecke.desk.points import PointStory, PointView, point, points, points_of, stored_point
from kiezbruecke.desk.recoveries import RecoveryView, recoveries
from kiezbruecke.desk.routes import (
    HouseStatus,
    PreviewView,
    RouteCheckView,
    RouteStatusView,
    RouteView,
    RunView,
    check_routes,
    pause,
    preview_view,
    route,
    routes,
    runs,
    status,
    training_routes,
)
from kiezbruecke.desk.sums import (
    AreaSums,
    Difference,
    Hanging,
    ProcessCounts,
    Reconciliation,
    UnmatchedAnswer,
    reconciliation,
    sums,
)
from kiezbruecke.desk.view import DeskView

__all__ = [
    "AccountView",
    "AreaEvaluation",
    "AreaSums",
    "CaseFound",
    "CaseStory",
    "DeskView",
    "DestinationView",
    "Difference",
    "Duration",
    "Evaluation",
    "EventView",
    "Hanging",
    "HouseStatus",
    "MessageFacts",
    "MessageStory",
    "PointStory",
    "PointView",
    "PreviewView",
    "ProcessCounts",
    "ReceiptView",
    "Reconciliation",
    "RecoveryView",
    "RouteCheckView",
    "RouteStatusView",
    "RouteView",
    "RunView",
    "SentFile",
    "SentFileView",
    "UnmatchedAnswer",
    "WaitingCase",
    "cases",
    "check_routes",
    "destination",
    "documents",
    "evaluate",
    "find_cases",
    "how_much_is_known",
    "message",
    "messages",
    "note_case_opening",
    "open_document",
    "pause",
    "point",
    "points",
    "points_of",
    "preview_view",
    "receipts",
    "reconciliation",
    "recoveries",
    "refuse_to_show",
    "route",
    "routes",
    "runs",
    "show_accounts",
    "status",
    "stored_message",
    "stored_point",
    "sums",
    "training_routes",
]

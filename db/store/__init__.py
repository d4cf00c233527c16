"""The store: one database file with queries, labels, feedback and kept answers.

    with open_store(settings.database) as store:
        store.feedback.add_feedback(query, shown)

Every method may be called from any thread. What cannot be done is a StoreError with a `code`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from db.store.agreement import AgreementTable, Decided
from db.store.answers import AnswerStore, scrub
from db.store.backup import write_backup
from db.store.browse import BrowseTable, Filter, Listed
from db.store.connection import Connections
from db.store.datasets import Dataset, DatasetTable, Invalid, InvalidRows, Survey
from db.store.decisions import DecisionTable, Made
from db.store.errors import AlreadyRunning, NewerDatabase, NotADatabase, Refused, StoreError
from db.store.events import EventTable, Told
from db.store.exports import Answered, ExportTable, Provenance
from db.store.feedback import Feedback, FeedbackTable
from db.store.imports import Brought, Counts, Import, ImportTable, Origin
from db.store.jobs import Job, JobTable, Process
from db.store.labels import Label, LabelTable
from db.store.lock import HomeLock, lock_home
from db.store.migrations import check_version, read_version, upgrade
from db.store.opened import Complaint, Event, Opened
from db.store.promotions import Promoted, Promotion, PromotionTable
from db.store.queries import QueryTable
from db.store.requests import Outcome, Request, RequestTable, Totals, Wanted
from db.store.review import ReviewTable
from db.store.sentence_sets import SentenceSet, SentenceSetTable
from db.store.shipped import ShippedTable
from db.store.synthetic import SyntheticTable, Translation
from db.store.votes import Side, Tally, Vote, VoteTable

__all__ = [
    "AgreementTable",
    "AlreadyRunning",
    "AnswerStore",
    "Answered",
    "Brought",
    "BrowseTable",
    "Complaint",
    "Counts",
    "Dataset",
    "DatasetTable",
    "Decided",
    "DecisionTable",
    "Event",
    "ExportTable",
    "Feedback",
    "FeedbackTable",
    "Filter",
    "HomeLock",
    "Import",
    "ImportTable",
    "Invalid",
    "InvalidRows",
    "Job",
    "JobTable",
    "Label",
    "LabelTable",
    "Listed",
    "Made",
    "NewerDatabase",
    "NotADatabase",
    "Opened",
    "Origin",
    "Outcome",
    "Process",
    "Promoted",
    "Promotion",
    "PromotionTable",
    "Provenance",
    "QueryTable",
    "Refused",
    "Request",
    "RequestTable",
    "ReviewTable",
    "SentenceSet",
    "SentenceSetTable",
    "ShippedTable",
    "Side",
    "Store",
    "StoreError",
    "Survey",
    "SyntheticTable",
    "Tally",
    "Told",
    "Totals",
    "Translation",
    "Vote",
    "VoteTable",
    "Wanted",
    "lock_home",
    "open_store",
]
_OPEN_SECONDS = 120.0  # how long another process's upgrade may take


class Store:
    """An open database, by groups of tables."""

    def __init__(self, connections: Connections):
        self._connections = connections
        self.queries = QueryTable(connections)
        self.labels = LabelTable(connections)
        self.feedback = FeedbackTable(connections)
        self.answers = AnswerStore(connections)
        self.imports = ImportTable(connections)
        self.exports = ExportTable(connections)
        self.datasets = DatasetTable(connections)
        self.sentence_sets = SentenceSetTable(connections)
        self.review = ReviewTable(connections)
        self.decisions = DecisionTable(connections)
        self.browse = BrowseTable(connections)
        self.agreement = AgreementTable(connections)
        self.shipped = ShippedTable(connections)
        self.jobs = JobTable(connections)
        self.events = EventTable(connections)
        self.requests = RequestTable(connections)
        self.synthetic = SyntheticTable(connections)
        self.promotions = PromotionTable(connections)
        self.votes = VoteTable(connections)

    @property
    def path(self) -> Path:
        return self._connections.path

    def backup(self, to: Path) -> None:
        """Writes a checked copy to `to`, in place of what is there. Kept answers are left out."""
        if to.resolve() == self.path.resolve():
            raise Refused("backup_onto_itself")
        with closing(self._connections.new_reader()) as source:
            write_backup(source, to)

    def check(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file; nothing if it is sound."""
        with self._connections.read() as db:
            found = [row[0] for row in db.execute("PRAGMA integrity_check")]
            orphans = db.execute("PRAGMA foreign_key_check").fetchall()
        found = [] if found == ["ok"] else found
        return (*found, *(f"{row[0]} {row[1]} refers to no {row[2]}" for row in orphans))

    def close(self) -> None:
        """Closes the database. Can be called again."""
        if not self._connections.closed:
            scrub(self._connections)
        self._connections.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def open_store(path: Path) -> Store:
    """The store at `path`, made or upgraded if need be.

    NewerDatabase and NotADatabase leave the file as it is; other failures are a StoreError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Processes open one after the other: turning WAL on and upgrading need the file for oneself,
    # and a version is read without SQLite's locks.
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=_OPEN_SECONDS):
            check_version(path, read_version(path))
            connections = Connections(path)
            try:
                upgrade(connections)
                scrub(connections)
            except BaseException:
                connections.close()
                raise
    except Timeout as error:
        raise StoreError("busy") from error
    return Store(connections)

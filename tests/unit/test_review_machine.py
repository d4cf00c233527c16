"""Any order of importing, answering, deciding, taking back, settling and freezing loses nothing."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from db.dataset.importing import bring
from db.store import Filter, Origin, Refused, open_store
from engine.sense import Answer, Query, Sense
from tests.reviewed import (
    BACK,
    CALL,
    CONTEXT,
    PAIR,
    PHRASE,
    RIGHT,
    WRONG,
)

WORKED_OUT = ("item ORDER BY query_id", "item_of_import ORDER BY import_id, query_id")
WHO = st.sampled_from(["Ann", "Bob", "Cid"])
SENSES = st.sampled_from([RIGHT, Sense("adverb", "回", PHRASE), WRONG])


class Labelling(RuleBasedStateMachine):
    """Any order of importing, answering, deciding, taking back, settling and freezing."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name) / "ctx.db")
        self.labels: dict[int, object] = {}
        self.frozen: dict[str, str] = {}
        self.ids = [self.store.queries.add(query) for query in (CALL, BACK)]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(query=st.sampled_from([CALL, BACK]), sense=SENSES, who=st.sampled_from(["T", "U"]))
    def answer(self, query: Query, sense: Sense, who: str) -> None:
        self.store.labels.add_label(query, sense, "teacher", who, "proposed")

    @rule(query=st.sampled_from([CALL, BACK]))
    def complain(self, query: Query) -> None:
        self.store.feedback.add_feedback(query, Answer(WRONG, "", 0.9, "model", "m"))

    @rule()
    def import_text(self) -> None:
        file = Path(self.folder.name) / "text.txt"
        file.write_text(CONTEXT)
        bring(self.store, file, Origin("text", ""))

    @rule()
    def undo_import(self) -> None:
        open_ones = [one for one in self.store.imports.list_imports() if not one.undone]
        if open_ones:
            self.store.imports.undo(open_ones[0].id)

    @rule(who=WHO, sense=SENSES, kind=st.sampled_from(["accept", "edit", "reject", "skip", "flag"]))
    def decide(self, who: str, sense: Sense, kind: str) -> None:
        found = self.store.review.next(PAIR, who)
        if found:
            if found not in self.ids:  # no member of the phrase
                sense = WRONG
            self.store.review.decide(who, kind, found, sense)
            if kind in ("skip", "flag"):
                assert self.store.review.next(PAIR, who) != found

    @rule(who=WHO)
    def take_back(self, who: str) -> None:
        try:
            self.store.review.undo(who)
        except Refused as error:
            assert error.code == "nothing_to_undo"

    @rule(who=WHO, sense=SENSES)
    def settle(self, who: str, sense: Sense) -> None:
        found = self.store.review.next(PAIR, who, Filter(status="conflict"))
        if found:
            sense = sense if found in self.ids else WRONG
            self.store.review.decide(who, "settle", found, sense)
            assert self.store.review.open(found, who).status == "accepted"

    @rule(people=st.integers(1, 3))
    def overlap(self, people: int) -> None:
        self.store.review.set_overlap(people)

    @rule()
    def freeze(self) -> None:
        name = f"set {len(self.frozen)}"
        try:
            self.frozen[name] = self.store.datasets.freeze(name, PAIR).sha256
        except Refused as error:
            assert error.code == "no_rows"

    @invariant()
    def nothing_is_lost_or_changed(self) -> None:
        if not hasattr(self, "store"):
            return
        now = {x.id: x for query in (CALL, BACK) for x in self.store.labels.history(query)}
        assert {key: now[key] for key in self.labels} == self.labels
        self.labels = now
        assert {x.name: x.sha256 for x in self.store.datasets.list_datasets()} == self.frozen
        assert self.store.check() == ()

    @invariant()
    def items_are_what_they_would_be_from_nothing(self) -> None:
        if not hasattr(self, "store"):
            return
        self.store.review.work_off()
        with self.store._connections.write() as db:
            before = [
                tuple(row) for sql in WORKED_OUT for row in db.execute(f"SELECT * FROM {sql}")
            ]
            db.execute("DELETE FROM item_of_import")
            db.execute("INSERT OR IGNORE INTO item_due SELECT id FROM query")
        self.store.review.work_off()
        with self.store._connections.read() as db:
            after = [tuple(row) for sql in WORKED_OUT for row in db.execute(f"SELECT * FROM {sql}")]
        assert before == after


TestLabelling = Labelling.TestCase
TestLabelling.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)

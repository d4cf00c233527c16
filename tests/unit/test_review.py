"""The review queue: who gets which query, what a decision does, and that nothing is ever lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from db.dataset.importing import bring
from db.store import Brought, Filter, Origin, Refused, Store, open_store
from db.store.review import LEASE_SECONDS, ReviewTable
from engine.sense import Answer, Phrase, Query, Sense

PAIR = "en-zh"
CONTEXT = "She meant to call them back."
CALL, BACK = Query(CONTEXT, 3), Query(CONTEXT, 5)
PHRASE = Phrase((3, 5), "回电话")
RIGHT = Sense("verb", "打电话", PHRASE)
WRONG = Sense("noun", "背")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    """Twenty sentences of three queries each."""
    file = tmp_path / "text.txt"
    file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\n" for n in range(20)))
    bring(store, file, Origin("text", ""))
    return store


def propose(store: Store, query: Query, sense: Sense, who: str = "T", source: str = "teacher"):
    """The query's id; it comes in by an import of its own, with this answer."""
    origin = Origin("row", "flat", who=who, source=source)
    row = Brought(1, 0, "raw", context=query.context, queries=(query,), sense=sense)
    store.imports.add(store.imports.begin(origin), origin, [row])
    return store.queries.find(query)


def imported(store: Store, tmp_path: Path, *contexts: str) -> None:
    file = tmp_path / "more.txt"
    file.write_text("\n".join(contexts))
    bring(store, file, Origin("more", ""))


def test_everybody_gets_another_query_and_each_comes_once(filled: Store) -> None:
    seen = []
    while True:
        found = [filled.review.next(PAIR, who) for who in ("Ann", "Bob", "Cid")]
        assert len({one for one in found if one}) == len([one for one in found if one])
        for who, one in zip(("Ann", "Bob", "Cid"), found):
            if one:
                filled.review.decide(who, "accept", one, WRONG)
                seen.append(one)
        if not any(found):
            break
    assert len(seen) == len(set(seen)) == 60
    assert filled.browse.states(PAIR)["accepted"] == 60


def test_asking_again_gives_the_same_query_and_a_lease_ends(filled: Store) -> None:
    now = [1000.0]
    review = ReviewTable(filled._connections, lambda: now[0])
    first = review.next(PAIR, "Ann")
    assert review.next(PAIR, "Ann") == first
    assert review.next(PAIR, "Bob") != first
    now[0] += LEASE_SECONDS + 1
    assert review.next(PAIR, "Cid") == first


def test_a_skipped_query_goes_to_others_only(filled: Store) -> None:
    first = filled.review.next(PAIR, "Ann")
    filled.review.decide("Ann", "skip", first)
    assert filled.review.next(PAIR, "Ann") != first
    assert filled.review.next(PAIR, "Bob") == first
    filled.review.undo("Ann")
    filled.review.decide("Bob", "accept", first, WRONG)


def test_what_readers_reported_comes_first_then_the_unsure_then_what_differs(
    filled: Store, tmp_path: Path
) -> None:
    imported(filled, tmp_path, CONTEXT, "Banks lend money.")
    unsure, differing = Query("Banks lend money.", 0), Query("Banks lend money.", 2)
    with filled._connections.write() as db:
        from db.store.labels import keep_label

        keep_label(db, unsure, WRONG, "model", "m", "proposed", 0.3)
    propose(filled, differing, WRONG, "T")
    propose(filled, differing, RIGHT_NOUN, "U")
    filled.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"), better_meaning="回")
    order = []
    for _ in range(3):
        found = filled.review.next(PAIR, "Ann")
        order.append(filled.queries.get(found))
        filled.review.decide("Ann", "accept", found, WRONG)
    assert order == [BACK, unsure, differing]


RIGHT_NOUN = Sense("noun", "钱")


def test_a_complaint_opens_an_accepted_query_again(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    assert store.review.next(PAIR, "Ann") is None
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "person", "Ann"), better_meaning="回")
    assert store.review.next(PAIR, "Ann") == query_id
    opened = store.review.open(query_id, "Ann")
    assert [one.meaning for one in opened.complaints] == ["回"]
    store.review.decide("Ann", "edit", query_id, RIGHT)
    assert store.review.next(PAIR, "Ann") is None


def test_a_decision_reaches_readers_and_undo_takes_it_back(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    before, _ = store.labels.decided_since((0, 0))
    store.review.decide("Ann", "edit", query_id, RIGHT)
    assert store.labels.accepted(PAIR, CONTEXT)[5].sense.meaning == "打电话"
    assert store.labels.phrases(PAIR)
    moment, decided = store.labels.decided_since(before)
    assert decided
    store.review.undo("Ann")
    assert store.labels.accepted(PAIR, CONTEXT) == {}
    assert store.labels.phrases(PAIR) == ()
    assert store.labels.decided_since(moment)[1]
    assert len(store.labels.history(BACK)) == 2  # nothing is deleted
    opened = store.review.open(query_id, "Ann")
    assert (opened.status, opened.standing.sense) == ("open", WRONG)
    assert [(event.kind, bool(event.undone)) for event in opened.events] == [("edit", True)]
    with pytest.raises(Refused, match="nothing"):
        store.review.undo("Ann")


def test_undo_is_ones_own(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    decision = store.review.decide("Ann", "accept", query_id, WRONG)
    with pytest.raises(Refused):
        store.review.undo("Bob", decision)


def test_somebody_elses_newer_decision_is_not_overwritten_unseen(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    seen = store.review.open(query_id, "Ann").seen
    store.review.decide("Bob", "edit", query_id, RIGHT, seen=seen)
    with pytest.raises(Refused) as refused:
        store.review.decide("Ann", "accept", query_id, WRONG, seen=seen)
    assert refused.value.code == "changed"
    again = store.review.open(query_id, "Ann")
    assert again.standing.who == "Bob"
    store.review.decide("Ann", "accept", query_id, WRONG, seen=again.seen)
    assert store.review.open(query_id, "Bob").standing.who == "Ann"


def test_the_same_token_decides_once(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    first = store.review.decide("Ann", "accept", query_id, WRONG, token="t1")
    assert store.review.decide("Ann", "accept", query_id, WRONG, token="t1") == first
    assert len(store.labels.history(BACK)) == 2


def test_a_phrase_goes_to_its_other_members(store: Store) -> None:
    call, back = propose(store, CALL, Sense("verb", "打")), propose(store, BACK, WRONG)
    siblings = store.review.siblings(BACK)
    assert siblings == {3: call}
    store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[call])
    other = store.review.open(call, "Ann")
    assert other.status == "open"  # nobody looked at its meaning yet
    assert other.standing.sense == Sense("verb", "打", PHRASE)
    store.review.decide("Ann", "accept", call, other.standing.sense)
    store.review.decide("Ann", "edit", back, Sense("adverb", "回"), also=[call])
    assert store.labels.accepted(PAIR, CONTEXT)[3].sense == Sense("verb", "打")
    store.review.undo("Ann")
    assert store.labels.accepted(PAIR, CONTEXT)[3].sense.phrase.members == (3, 5)


def test_a_phrase_is_not_given_to_words_outside_it(store: Store) -> None:
    back = propose(store, BACK, WRONG)
    other = propose(store, Query(CONTEXT, 1), Sense("verb", "想要"))
    with pytest.raises(Refused, match="phrase"):
        store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[other])
    assert store.review.open(back, "Ann").status == "open"


def test_with_overlap_people_decide_blind_and_differences_are_settled(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    imported_id = query_id
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"))
    assert store.review.next(PAIR, "Ann") == imported_id
    store.review.decide("Ann", "edit", query_id, RIGHT)
    seen_by_bob = store.review.open(query_id, "Bob")
    assert seen_by_bob.blind and all(label.who != "Ann" for label in seen_by_bob.labels)
    assert store.review.next(PAIR, "Ann") is None
    assert store.review.next(PAIR, "Bob") == query_id
    store.review.decide("Bob", "accept", query_id, WRONG, seen=seen_by_bob.seen)
    opened = store.review.open(query_id, "Cid")
    assert (opened.status, opened.standing) == ("conflict", None)
    assert store.exports.counts(PAIR)["conflicts"] == 1
    assert list(store.exports.answered(PAIR)) == []
    assert store.review.next(PAIR, "Cid", Filter(status="conflict")) == query_id
    store.review.decide("Cid", "settle", query_id, RIGHT, seen=opened.seen)
    assert store.review.open(query_id, "Ann").status == "accepted"
    (row,) = store.exports.answered(PAIR)
    assert (row.who, row.sense) == ("Cid", RIGHT)
    store.review.undo("Cid")
    assert store.review.open(query_id, "Ann").status == "conflict"


def test_two_who_agree_need_nobody_to_settle(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    assert store.review.open(query_id, "Cid").status == "open"
    store.review.decide("Bob", "accept", query_id, WRONG)
    assert store.review.open(query_id, "Cid").status == "accepted"


def test_many_at_once_and_back(filled: Store) -> None:
    ids = [row.id for row in filled.browse.page(PAIR, limit=10)]
    filled.review.work_off()
    ids = [row.id for row in filled.browse.page(PAIR, limit=10)]
    with pytest.raises(Refused):  # no answers to accept yet
        filled.review.decide_many("Ann", "accept", ids)
    for one in ids:
        propose(filled, filled.queries.get(one), WRONG)
    decision, count = filled.review.decide_many("Ann", "accept", [*ids, *ids])
    assert count == len(ids)
    assert filled.browse.states(PAIR) == {
        "open": 50, "accepted": 10, "rejected": 0, "flagged": 0, "conflict": 0,
    }  # fmt: skip
    assert filled.review.undo("Ann", decision)[2] == tuple(ids)
    assert filled.browse.states(PAIR)["open"] == 60


def test_a_flag_takes_a_query_out_until_it_is_decided_or_unflagged(store: Store) -> None:
    query_id = propose(store, BACK, WRONG)
    store.feedback.add_feedback(BACK, Answer(WRONG, "", 0.9, "model", "m"))
    store.review.decide("Ann", "flag", query_id)
    assert store.review.next(PAIR, "Bob") is None
    assert store.review.next(PAIR, "Bob", Filter(status="flagged")) == query_id
    store.review.decide("Bob", "unflag", query_id)
    assert store.review.next(PAIR, "Bob") == query_id


@pytest.mark.parametrize(
    "text, found",
    [("打破", 1), ("破", 1), ("silence", 1), ("silen", 1), ("沉默 打破", 1), ("打开", 0), ('"', 0)],
)
def test_search_finds_one_or_two_chinese_characters(store: Store, text: str, found: int) -> None:
    query = Query("He broke the silence.", 1)
    propose(store, query, Sense("verb", "打破", Phrase((1, 3), "打破沉默")))
    store.feedback.add_feedback(query, Answer(WRONG, "", 0.9, "model", "m"))
    store.review.work_off()
    assert store.browse.count(PAIR, Filter(text=text)) == found


def test_filters(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, CONTEXT, "Banks lend money.")
    call, money = propose(store, CALL, RIGHT), propose(store, Query("Banks lend money.", 2), WRONG)
    store.review.decide("Ann", "accept", call, RIGHT)
    store.review.decide("Bob", "edit", money, RIGHT_NOUN)

    def ids(**chosen) -> list[int]:
        return [row.id for row in store.browse.page(PAIR, Filter(**chosen))]

    assert ids(who="Ann") == [call]
    assert ids(status="accepted") == [call, money]
    assert ids(word_class="verb") == [call]
    assert ids(shape="split") == ids(shape="with") == [call]
    assert ids(shape="joined") == []
    assert ids(corrected=True) == [money]
    assert ids(status="accepted", text="money") == [money]
    assert ids(import_id=1) == [call, money] and ids(import_id=2) == [call]
    assert store.browse.people(PAIR) == (("Ann", 1), ("Bob", 1))
    assert [row[0] for row in store.browse.progress()] == ["Ann", "Bob"]


def test_an_undone_import_leaves_the_queue(filled: Store) -> None:
    assert filled.review.next(PAIR, "Ann")
    filled.imports.undo(1)
    assert filled.review.next(PAIR, "Bob") is None
    assert filled.browse.count(PAIR) == 0


def test_an_undone_import_takes_peoples_answers_back_that_it_brought(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"context": "She meant to call them back.", "target": "back", "idx": 1,'
        ' "class": "adverb", "zh": "回", "phrase": ""}\n'
    )
    bring(store, file, Origin("rows", "", who="Ann", source="person", status="accepted"))
    moment, _ = store.labels.decided_since((0, 0))
    assert store.labels.accepted(PAIR, CONTEXT)
    store.imports.undo(1)
    assert store.labels.accepted(PAIR, CONTEXT) == {}
    assert store.labels.decided_since(moment)[1]


def test_eight_people_at_once_lose_nothing(filled: Store) -> None:
    def work(who: str) -> list[int]:
        mine = []
        while (found := filled.review.next(PAIR, who)) is not None:
            filled.review.decide(who, "accept", found, WRONG)
            mine.append(found)
        return mine

    with ThreadPoolExecutor(8) as pool:
        done = [one for mine in pool.map(work, [f"P{n}" for n in range(8)]) for one in mine]
    assert len(done) == len(set(done)) == 60
    assert filled.check() == ()


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
            before = [tuple(row) for row in db.execute("SELECT * FROM item ORDER BY query_id")]
            db.execute("INSERT OR IGNORE INTO item_due SELECT id FROM query")
        self.store.review.work_off()
        with self.store._connections.read() as db:
            after = [tuple(row) for row in db.execute("SELECT * FROM item ORDER BY query_id")]
        assert before == after


TestLabelling = Labelling.TestCase
TestLabelling.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_many_at_once_leaves_out_what_breaks_a_rule(store: Store) -> None:
    good = propose(store, BACK, Sense("adverb", "回"))
    bad = propose(store, CALL, Sense("verb", "打，叫"))
    _, count = store.review.decide_many("Ann", "accept", [good, bad])
    assert count == 1
    assert set(store.labels.accepted(PAIR, CONTEXT)) == {5}


def test_where_several_decide_nobody_takes_an_answer_over_unseen(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "edit", query_id, Sense("adverb", "回"))
    (row,) = store.browse.page(PAIR, blind_for="Bob")
    assert (row.sense, row.who) == (None, "")
    (row,) = store.browse.page(PAIR, blind_for="Ann")
    assert row.who == "Ann"
    with pytest.raises(Refused):
        store.review.decide_many("Bob", "accept", [query_id])
    store.review.decide("Cid", "flag", query_id)
    assert store.review.open(query_id, "Bob").blind


def test_ones_own_proposal_for_a_phrase_is_seen_where_others_are_not(store: Store) -> None:
    store.review.set_overlap(2)
    call, back = propose(store, CALL, Sense("verb", "打")), propose(store, BACK, WRONG)
    store.review.decide("Ann", "edit", back, Sense("adverb", "回", PHRASE), also=[call])
    assert store.review.open(call, "Ann").standing.sense.phrase.members == PHRASE.members
    assert store.review.open(call, "Bob").standing.sense.phrase is None


def test_nobody_settles_what_they_decided_themselves(store: Store) -> None:
    store.review.set_overlap(2)
    query_id = propose(store, BACK, WRONG)
    store.review.decide("Ann", "accept", query_id, WRONG)
    store.review.decide("Bob", "edit", query_id, Sense("adverb", "回"))
    conflicts = Filter(status="conflict")
    assert store.review.next(PAIR, "Ann", conflicts) is None
    assert store.review.next(PAIR, "Cid", conflicts) == query_id


def test_another_overlap_holds_for_all_at_once(filled: Store) -> None:
    filled.review.set_overlap(2)
    first = filled.review.next(PAIR, "Ann")
    filled.review.decide("Ann", "accept", first, WRONG)
    filled.review.set_overlap(1)
    assert filled.browse.states(PAIR)["accepted"] == 1
    assert filled.review.next(PAIR, "Bob") != first


def test_undo_opens_what_was_before_the_person(store: Store) -> None:
    back, call = propose(store, BACK, WRONG), propose(store, CALL, Sense("verb", "打"))
    store.review.decide("Ann", "edit", call, Sense("verb", "打", PHRASE), also=[back])
    assert store.review.undo("Ann")[2] == (call, back)

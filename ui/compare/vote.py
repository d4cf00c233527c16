"""The Blind votes view: which of two answers is better, before anybody knows whose they are.

Every argument comes from a stranger. The desk knows no gradio; each choice is stored as it is made.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from db.dataset.visible import visible
from db.store import Job, Side
from engine.sense import Query
from trainer.voting import rate_of
from ui.compare.ballots import MOST_BALLOTS, Ballot, Session, Sessions
from ui.compare.evaluations import Evaluations, same, to_row
from ui.compare.part import MOST_TEXT, SENSE, CompareDesk, folders, task_of, to_answer
from ui.compare.side import cut_text, progress_of
from ui.compare.split import to_evaluation, two_of
from ui.compare.texts import to_texts
from ui.desk import Bad, Reply, Served, guarded, named, number_of, text_of
from ui.label.shape import to_pieces
from ui.page import read_page, read_script
from ui.pairs import USUAL, work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.works import Work

_SCRIPTS = (
    "language", "part", "pair", "work", "table", "compare/part", "compare/vote/ballot",
    "compare/vote/keys", "compare/vote/start",
)  # fmt: skip
BASE = "base"  # the version of the base without an adapter
_LISTED = 30  # evaluations to choose from
_MOST_VOTED = 20  # sentences of a pasted text


def build_vote(services: Services, evaluations: Evaluations) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("compare/vote"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="compare-vote",
        elem_classes="ctx-view",
        server_functions=list(VoteDesk(services, evaluations).served().values()),
        strings=STRINGS,
        limits={
            "hosted": services.access.hosted,
            "text": MOST_TEXT,
            "sentences": _MOST_VOTED,
            "ballots": MOST_BALLOTS,
        },
    )


class VoteDesk(CompareDesk):
    """One method for each thing the Blind votes view's page may ask."""

    def __init__(self, services: Services, evaluations: Evaluations):
        super().__init__(services)
        self._evaluations = evaluations
        self._sessions = Sessions()

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.choices, self.sit_down, self.paste, self.ballot, self.choose, self.reveal,
            self.work,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def choices(self, asked: Reply) -> Reply:
        """The models, a pair's tasks that were evaluated, the evaluations of one of them that can
        be voted on, and what all votes on it say so far."""
        pair, task = work_pair(asked), task_of(asked)

        def act() -> Reply:
            done = [
                job
                for job in self._evaluations.list_jobs()
                if job.state == "done"
                and (job.recipe.get("pair") or USUAL) == pair
                and len(job.figures.get("models", [])) > 1
            ]
            mine = [job for job in done if _task(job) == task]
            return {
                "models": self._models(),
                "tasks": sorted({_task(job) for job in done}),
                "evaluations": [to_evaluation(job) for job in mine[:_LISTED]],
                "standings": self._standings(pair, task),
            }

        return await self._run(act)

    async def sit_down(self, asked: Reply) -> Reply:
        """A session over the rows of an evaluation in which two of its models differ."""

        def act() -> Reply:
            found = self._evaluations.get(number_of(asked, "id"))
            left, right = two_of(asked, len(found.models))
            sides = [found.models[i] for i in (left, right)]
            if sides[0]["version"] == sides[1]["version"]:
                raise Bad("same_model")
            ballots = []
            for number, row in enumerate(found.rows):
                if same(row["answers"][left], row["answers"][right]):
                    continue
                shown = to_row(row, number, found.pair, (left, right))["answers"]
                ballots.append(Ballot(row["context"], row["position"], *map(_nameless, shown)))
            both = [Side(str(one["name"]), str(one["version"])) for one in sides]
            titles = str(sides[0].get("title", "")), str(sides[1].get("title", ""))
            return self._open(Session(found.pair, found.task, *both, titles, ballots))

        return await self._run(act)

    async def paste(self, asked: Reply) -> Reply:
        """A session over the words of one's own sentences that two models answer differently, or
        over the sentences that they translate differently."""
        text, pair, task = text_of(asked, "text"), work_pair(asked), task_of(asked)
        ballots = self._of_words if task == SENSE else self._of_sentences

        def act(work: Work) -> Reply:
            def sit() -> Reply:
                contexts = cut_text(text, pair)
                if len(contexts) > _MOST_VOTED:
                    raise Bad("too_many_sentences", limit=_MOST_VOTED)
                left, right = self._sides(asked, task)
                found = ballots(folders(left, right), contexts, pair, progress_of(work))
                sides = Side(left.name, left.version), Side(right.name, right.version)
                titles = left.title, right.title
                return self._open(Session(pair, task, *sides, titles, found))

            return named(sit)

        self._access.check_write()
        return await self._works.start(act, total=100)

    def _of_words(
        self, models: list[Path | None], contexts: list[str], pair: str, progress: Any
    ) -> list[Ballot]:
        found = self._bench.answers(models, [(one, None) for one in contexts], pair, progress)
        ballots = []
        for context, one, other in zip(contexts, *found):
            for i in sorted(one):
                query = Query(context, i, pair)
                sides = to_answer(query, one[i].sense), to_answer(query, other[i].sense)
                if not same(*sides):
                    ballots.append(Ballot(context, i, *map(_nameless, sides)))
        return ballots

    def _of_sentences(
        self, models: list[Path | None], contexts: list[str], pair: str, progress: Any
    ) -> list[Ballot]:
        found = self._bench.translate(models, contexts, pair, progress)
        return [
            Ballot(context, None, *to_texts(one.text, other.text))
            for context, one, other in zip(contexts, *found)
            if one.text != other.text
        ]

    def _open(self, session: Session) -> Reply:
        opened, differ = self._sessions.add(session), len(session.ballots)
        return {"session": opened.id, "count": len(opened.ballots), "differ": differ}

    async def ballot(self, asked: Reply) -> Reply:
        """One ballot: a word in its sentence, or the sentence, and two answers without names."""

        def act() -> Reply:
            session, number = self._session(asked), number_of(asked, "number")
            ballot = session.ballot(number)
            return {
                "number": number,
                "pieces": to_pieces(Query(ballot.context, ballot.position or 0, session.pair)),
                "position": ballot.position,
                "answers": list(session.shown(number)),
            }

        return await self._run(act)

    async def choose(self, asked: Reply) -> Reply:
        """Stores a choice: first, second, both or neither."""
        who = text_of(asked, "who")

        def act() -> Reply:
            session, number = self._session(asked), number_of(asked, "number")
            with self._sessions.lock:
                vote = session.vote(number, text_of(asked, "choice"), who)
                self._store.votes.add(vote)
                session.given[number] = vote.choice
            return {"given": len(session.given)}

        return await self._run(act)

    async def reveal(self, asked: Reply) -> Reply:
        """Ends the session: whose answers they were, and what its votes say."""

        def act() -> Reply:
            session = self._session(asked)
            with self._sessions.lock:
                session.over = True
            return {
                "left": _told(session.left, session.titles[0]),
                "right": _told(session.right, session.titles[1]),
                **_counted(session.counts()),
                "standings": self._standings(session.pair, session.task),
            }

        return await self._run(act)

    def _session(self, asked: Reply) -> Session:
        return self._sessions.find(text_of(asked, "session"))

    def _standings(self, pair: str, task: str) -> list[Reply]:
        """What all stored votes on a pair's words or sentences say of each two versions, the most
        votes first; the base stands on the left."""
        names = self._names()
        lines = []
        for one in self._store.votes.tallies(pair, task):
            sides = [(one.left, one.left_won), (one.right, one.right_won)]
            sides.sort(key=lambda side: side[0] != BASE)
            (left, left_won), (right, right_won) = sides
            counts = {
                "left": left_won, "right": right_won, "both": one.both, "neither": one.neither
            }  # fmt: skip
            told = [
                _told(*names.get(version, (Side("", version), ""))) for version in (left, right)
            ]
            lines.append({"left": told[0], "right": told[1], **_counted(counts)})
        return sorted(lines, key=lambda line: -sum(line["counts"].values()))

    def _names(self) -> dict[str, tuple[Side, str]]:
        """The models' names and titles by version: those that are here, and those that were
        evaluated."""
        from trainer.catalogue import list_models

        names: dict[str, tuple[Side, str]] = {}
        for job in self._evaluations.list_jobs():
            pairs = zip(job.figures.get("models", []), job.figures.get("versions", []))
            names |= {str(version): (Side(str(name), str(version)), "") for name, version in pairs}
        found = list_models(self._store, self._settings)
        return names | {one.version: (Side(one.name, one.version), one.title) for one in found}


def _task(job: Job) -> str:
    return str(job.recipe.get("task") or SENSE)


def _nameless(answer: Reply) -> Reply:
    """The answer without what would tell whose it is, or which is right."""
    if "text" in answer:
        return {"text": answer["text"], "parts": answer.get("parts", [])}
    return {key: answer.get(key) for key in ("class", "zh", "members", "phrase", "phrase_zh")}


def _told(side: Side, title: str) -> Reply:
    return {"name": visible(side.model), "version": visible(side.version), "title": visible(title)}


def _counted(counts: dict[str, int]) -> Reply:
    rate = rate_of(counts["left"], counts["right"])
    told = asdict(rate) | {"clear": rate.is_clear} if rate else None
    return {"counts": counts, "rate": told}

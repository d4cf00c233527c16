"""Several models over one loaded base, to set what they answer side by side.

Everything is loaded when it is first asked for and given back after some idle minutes; of several
adapters the least used goes. One thing is done at a time. Knows no names of models, only their
folders (None: the base alone), and no store; torch is imported when something is loaded.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.crew import Map, crew
from engine.sense import Answer, Query, Sense
from engine.sentence_bench import SentenceBench
from engine.settings import Settings
from engine.views import AT_ONCE, View, views

if TYPE_CHECKING:
    from engine.engine import ModelEngine
    from engine.models import Base
    from engine.raw import Raw
    from engine.translation import Translated

MOST_MODELS = 3
MOST_WRITTEN = 96  # tokens of a text that nothing holds
_IDLE = 600.0  # seconds after which everything is given back
BARE = "__base__"  # what PEFT calls the base without an adapter

Folder = Path | None
Progress = Callable[[float], None]
"""Called with how far loading is, 0 to 1."""
Wanted = tuple[str, Collection[int] | None]
"""A context, and the positions that are asked for; None: all."""
Part = tuple[int, View, set[int]]
"""The number of a context, a view of it, and the positions that are asked for there."""


def _load(settings: Settings, progress: Progress) -> Base:
    from engine.models import load_base

    return load_base(settings, lambda state, share: progress(share))


class Workbench:
    """Holds the models. `load` gives the base, `idle` is in seconds; `busy`: it takes all cores, a
    batch on each, as where nobody else waits for an answer."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings, Progress], Base] = _load,
        idle: float = _IDLE,
        busy: bool = False,
    ):
        self._settings, self._load, self._idle, self._busy = settings, load, idle, busy
        self._lock = threading.Lock()
        self._rest: threading.Timer | None = None
        self._base: Base | None = None
        self._engines: OrderedDict[tuple[Folder, str], ModelEngine] = OrderedDict()
        self._tuned: Any = None  # a PeftModel over the base's own weights
        self._names: OrderedDict[Path, str] = OrderedDict()  # its adapters
        self._made = 0
        self._sentences = SentenceBench(settings, self._loaded)

    def load(self, folders: Sequence[Folder], pair: str = "en-zh") -> None:
        """Have these models loaded before they are asked, so that asking is all that takes time."""
        self._begin()
        try:
            self._find(folders, lambda share: None, pair)
        finally:
            self._end()

    def answers(
        self,
        folders: Sequence[Folder],
        asked: Sequence[Wanted],
        pair: str = "en-zh",
        progress: Progress = lambda share: None,
    ) -> list[list[dict[int, Answer]]]:
        """For each model and each context the answers by position, as readers would get them from
        that model without people's meanings. BaseError or AdapterError says what is missing."""
        self._begin()
        try:
            engines = self._find(folders, progress, pair)
            on_cpu = self._base is not None and self._base.choice.device == "cpu"
            size = self.at_once if on_cpu else 1
            with crew(size) as run:
                return [_answer_all(engine, asked, pair, run, size) for engine in engines]
        finally:
            self._end()

    def write(
        self,
        folders: Sequence[Folder],
        queries: Sequence[Query],
        progress: Progress = lambda share: None,
        most: int = MOST_WRITTEN,
    ) -> list[list[Raw]]:
        """For each model and each query what it writes when nothing holds it. All in one batch."""
        from engine.raw import Ask, write_raw

        self._begin()
        try:
            pair = queries[0].pair if queries else "en-zh"
            engines = self._find(folders, lambda share: progress(share / 2), pair)
            prompt = engines[0].decoder.prompt
            names = self._name_all(folders)
            asked = [
                Ask(_prompt(engine, query), name, query)
                for query in queries
                for name, engine in zip(names, engines)
            ]
            ends = frozenset({prompt.end, prompt.tokenizer.eos_token_id} - {None})
            model = self._tuned if any(folders) else self._loaded(progress).model
            found = write_raw(
                model, prompt.tokenizer, asked, ends, most, lambda share: progress((1 + share) / 2)
            )
            return [found[number :: len(folders)] for number in range(len(folders))]
        finally:
            self._end()

    def translate(
        self,
        folders: Sequence[Folder],
        sentences: Sequence[str],
        pair: str,
        progress: Progress = lambda share: None,
    ) -> list[list[Translated]]:
        """For each model and each sentence what it writes, up to its end and behind it. BaseError
        or AdapterError says what is missing."""
        self._begin()
        try:
            return self._sentences.translate(folders, sentences, pair, progress)
        finally:
            self._end()

    def count_tokens(
        self, folder: Folder, asked: Sequence[tuple[Query, Sense]], pair: str = "en-zh"
    ) -> list[int]:
        """How many tokens each of these answers has in the words of the model in this folder."""
        self._begin()
        try:
            (engine,) = self._find([folder], lambda share: None, pair)
            answers = [engine.decoder.prompt.answer(query, sense) for query, sense in asked]
            return [sum(map(len, one.fields())) for one in answers]
        finally:
            self._end()

    @property
    def at_once(self) -> int:
        """How many batches are best asked for together."""
        import torch

        return torch.get_num_threads() if self._busy else 1

    @property
    def is_loaded(self) -> bool:
        return self._base is not None or self._sentences.is_loaded

    def close(self) -> None:
        """Give everything back; it can be asked again and loads anew."""
        with self._lock:
            self._stop_resting()
            loaded = self.is_loaded
            self._base = self._tuned = None
            self._engines.clear()
            self._sentences.clear()
            self._names.clear()
        if loaded:
            from engine.memory import give_back

            give_back()

    def _begin(self) -> None:
        self._lock.acquire()
        self._stop_resting()

    def _end(self) -> None:
        self._rest = threading.Timer(self._idle, self.close)
        self._rest.daemon = True
        self._rest.start()
        self._lock.release()

    def _stop_resting(self) -> None:
        if self._rest is not None:
            self._rest.cancel()

    def _find(self, folders: Sequence[Folder], progress: Progress, pair: str) -> list[ModelEngine]:
        """The models in these folders, loaded for a pair; at most MOST_MODELS stay."""
        from engine.engine import make_engine

        base = self._loaded(progress)
        for number, folder in enumerate(folders):
            if (folder, pair) not in self._engines:
                self._engines[folder, pair] = make_engine(base, folder, pair)
            self._engines.move_to_end((folder, pair))
            progress(0.7 + 0.3 * (number + 1) / len(folders))
        found = [self._engines[folder, pair] for folder in folders]
        while len(self._engines) > max(MOST_MODELS, len(folders)):
            self._engines.popitem(last=False)
        return found

    def _loaded(self, progress: Progress) -> Base:
        if self._base is None:
            self._base = self._load(self._settings, lambda share: progress(0.6 * share))
        return self._base

    def _name_all(self, folders: Sequence[Folder]) -> list[str]:
        """What the adapters in these folders are called in a batch; they are loaded if need be, and
        at most MOST_MODELS stay."""
        for folder in filter(None, folders):
            if folder not in self._names:
                self._made += 1
                name = f"adapter{self._made}"
                self._add(folder, name)
                self._names[folder] = name
            self._names.move_to_end(folder)
        if self._names:
            # One that is active cannot go quietly.
            self._tuned.set_adapter(next(reversed(self._names.values())))
        while len(self._names) > max(MOST_MODELS, len(folders)):
            self._tuned.delete_adapter(self._names.popitem(last=False)[1])
        return [self._names[folder] if folder else BARE for folder in folders]

    def _add(self, folder: Path, name: str) -> None:
        from engine.adapters import open_adapter
        from engine.checking import read_adapter

        assert self._base is not None
        model = self._tuned
        if model is None:
            weights = {id(one): one for one in self._base.model.parameters()}
            model = copy.deepcopy(self._base.model, weights)
        self._tuned = open_adapter(model, read_adapter(folder), self._base, name)
        self._tuned.eval()


def _answer_all(
    engine: ModelEngine, asked: Sequence[Wanted], pair: str, run: Map, size: int
) -> list[dict[int, Answer]]:
    parts: list[Part] = []
    for number, (context, wanted) in enumerate(asked):
        for view in views(context, pair):
            mine = set(view.asked) if wanted is None else set(view.asked) & set(wanted)
            if mine:
                parts.append((number, view, mine))
    answers: list[dict[int, Answer]] = [{} for _ in asked]
    batches = deal(parts, size)

    def ask(batch: Sequence[Part]) -> list[dict[int, Answer]]:
        return engine.decoder.answer_many([(view, mine) for _, view, mine in batch], brief=True)

    for some, found in zip(batches, run(ask, batches)):
        for (number, _, _), given in zip(some, found):
            for position, answer in given.items():
                sure = engine.calibration.apply(answer.confidence)
                answers[number][position] = replace(answer, engine=engine.id, confidence=sure)
    return answers


def deal(parts: Sequence[Part], size: int) -> list[Sequence[Part]]:
    """Batches of at most AT_ONCE, as many as threads or a multiple, equal but for one part: what is
    left at an end keeps all threads busy, too."""
    count = size * ceil(len(parts) / (size * AT_ONCE))
    cuts = [len(parts) * number // count for number in range(count + 1)] if count else []
    return [parts[start:end] for start, end in pairwise(cuts) if start < end]


def _prompt(engine: ModelEngine, query: Query) -> tuple[int, ...]:
    """What the model is asked, as when it answers readers."""
    from engine.phrasebook import hints

    prompt = engine.decoder.prompt
    for view in views(query.context, query.pair):
        if query.position in view.asked:
            place = query.position - view.offset
            hint = hints(engine.decoder.known(view)).get(place, ())
            return prompt.prefix(view.text) + prompt.question(view.words, place, hint)
    raise ValueError("no view asks for this word")

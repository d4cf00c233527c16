"""Who translates whole sentences in an evaluation: the base or an adapter, a translator that needs
no base, what a teacher said before, a model behind a server. Each translates some sentences at a
time, and says what it took.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from db.store import Store
from engine.adapters import open_adapter
from engine.alone import load_translator
from engine.catalogue import read_folder
from engine.checking import read_adapter
from engine.models import Base
from engine.names import languages
from engine.settings import Settings
from engine.showing import TRANSLATION_SCHEMA, read_translation
from engine.teacher import Teacher, TeacherError, read_key
from engine.teaching import BadAnswer, load_template, usual_template
from engine.translation import STYLES, TaggedPrompt, TranslationPrompt, translate_all
from engine.translator import Translator as Whole
from trainer.catalogue import BASE, Model, ModelError, find_model
from trainer.evaluation.answering import SERVER, TEACHER, is_remote
from trainer.jobs.answerers import Talk
from trainer.jobs.line import Line
from trainer.recipe import TRANSLATION

_MOST_TOKENS = 1024  # of a server's answer


@dataclass(frozen=True)
class Written:
    """One translation: "" where none came. `tokens` and `ms`: what it took, 0 where unknown;
    `over`, `ended`, `stopped`: how a model here came to its end, see engine.translation."""

    text: str
    tokens: int = 0
    ms: float = 0.0
    over: int = 0
    ended: bool | None = None
    stopped: bool | None = None


class Translator(Protocol):
    """A model under evaluation."""

    model: Model

    def translate(self, contexts: Sequence[str]) -> list[Written]: ...

    def count(self, text: str) -> int:
        """The tokens that it takes this model to say a text; 0: not known."""
        ...

    def close(self) -> None:
        """Give back what it holds; it may be asked again."""
        ...


def find_translators(
    names: Sequence[str], pair: str, url: str, base: Base, store: Store, settings: Settings
) -> list[Translator]:
    """The translators of models' names; ModelError, AdapterError or TeacherError where one cannot
    be had. The base is asked in the style of the adapters beside it."""
    models = {name: find_model(name, store, settings) for name in names if not is_remote(name)}
    for name, model in models.items():
        if name != BASE and model.task != TRANSLATION:
            raise ModelError("wrong_task", f"{name} answers words, it translates no sentences")
        if name != BASE and model.pair != pair:
            raise ModelError("wrong_task", f"{name} translates {model.pair}, not {pair}")
    styles = [model.style for model in models.values() if model.folder and model.style in STYLES]
    style = styles[0] if styles else "short"
    found: list[Translator] = []
    for name in names:
        if name.startswith(TEACHER):
            found.append(Stored(name.removeprefix(TEACHER), pair, store))
        elif name.startswith(SERVER):
            found.append(Remote(name.removeprefix(SERVER), pair, url))
        else:
            found.append(_of_catalogue(models[name], pair, style, base, settings))
    return found


def _of_catalogue(
    model: Model, pair: str, style: str, base: Base, settings: Settings
) -> Translator:
    whole = read_folder(model.folder) if model.folder else None
    if isinstance(whole, Whole):
        return Own(model, whole, settings)
    return Local(model, pair, model.style if model.folder else style, base)


class Local:
    """The base, or an adapter over it: as readers would get it, but let write on."""

    def __init__(self, model: Model, pair: str, style: str, base: Base):
        self.model, self._pair, self._base = model, pair, base
        self._prompt = TranslationPrompt(base.tokenizer, style)
        self._opened: Any = None

    def translate(self, contexts: Sequence[str]) -> list[Written]:
        if self._opened is None:
            folder, base = self.model.folder, self._base
            self._opened = (
                open_adapter(base.model, read_adapter(folder), base, "default")
                if folder
                else base.model
            )
        return _write(self._opened, self._prompt, contexts, self._pair)

    def count(self, text: str) -> int:
        return len(self._prompt.answer(text)) - 1

    def close(self) -> None:
        if self._opened is not None and self.model.folder:
            self._opened.unload()
        self._opened = None


class Own:
    """A translator that has no base under it."""

    def __init__(self, model: Model, whole: Whole, settings: Settings):
        self.model, self._whole, self._settings = model, whole, settings
        self._loaded: Base | None = None

    def translate(self, contexts: Sequence[str]) -> list[Written]:
        base = self._load()
        return _write(base.model, TaggedPrompt(base.tokenizer), contexts, self.model.pair)

    def count(self, text: str) -> int:
        return len(TaggedPrompt(self._load().tokenizer).answer(text)) - 1

    def _load(self) -> Base:
        self._loaded = self._loaded or load_translator(self._whole, self._settings)
        return self._loaded

    def close(self) -> None:
        self._loaded = None


class Stored:
    """What a teacher said before, as the store has it."""

    def __init__(self, who: str, pair: str, store: Store):
        name = f"{TEACHER}{who}"
        self.model = Model(name, who, version=name, pair=pair, task=TRANSLATION)
        self._who, self._pair, self._store = who, pair, store

    def translate(self, contexts: Sequence[str]) -> list[Written]:
        told = [self._store.synthetic.translations(self._pair, context) for context in contexts]
        return [Written(next((t.text for t in some if t.who == self._who), "")) for some in told]

    def count(self, text: str) -> int:
        return 0

    def close(self) -> None:
        pass


class Remote:
    """A model behind an OpenAI-compatible server."""

    def __init__(self, name: str, pair: str, url: str):
        if not url:
            raise ModelError("no_server", f"{SERVER}{name} needs a server's address")
        named = f"{SERVER}{name}"
        self.model = Model(named, name, version=named, pair=pair, task=TRANSLATION)
        self._name, self._url = name, url

    def translate(self, contexts: Sequence[str]) -> list[Written]:
        return asyncio.run(self._ask_all(contexts))

    def count(self, text: str) -> int:
        return 0  # its tokens hold the form of an answer, too

    def close(self) -> None:
        pass

    async def _ask_all(self, contexts: Sequence[str]) -> list[Written]:
        teacher = Teacher(self._url, self._name, read_key(self._url))
        pair = self.model.pair
        source, target = languages(pair)
        template, line = load_template(usual_template(TRANSLATION, pair)), Line()

        async def ask(context: str) -> Written:
            talk = Talk(teacher, template, line, _MOST_TOKENS)
            question = json.dumps({"context": context}, ensure_ascii=False)
            messages = template.messages(question=question, source=source, target=target)
            try:
                text = await talk.until_read(
                    messages,
                    dict(TRANSLATION_SCHEMA),
                    partial(read_translation, context, pair=pair),
                )
            except BadAnswer:
                text = ""
            except TeacherError as error:
                if error.fatal:
                    raise
                text = ""
            outcome = talk.outcome
            return Written(text, outcome.tokens_out, 1000 * outcome.seconds)

        try:
            return await asyncio.gather(*map(ask, contexts))
        finally:
            await teacher.close()


def _write(
    model: Any, prompt: TranslationPrompt, contexts: Sequence[str], pair: str
) -> list[Written]:
    began = time.perf_counter()
    found = translate_all(model, prompt, contexts, pair)
    ms = 1000 * (time.perf_counter() - began) / len(contexts)
    return [Written(t.text, t.tokens, ms, t.over, t.ended, t.stopped) for t in found]

"""What the desks of the Compare tab share: models by name, answers in the form that pages get them.
Knows no gradio; imports the trainer when it is first asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.dataset.visible import visible
from db.store.checks import check_choice
from engine.sense import Query, Sense, phrase_words
from ui.desk import Bad, Reply, text_of
from ui.jobs_desk import JobsDesk
from ui.pairs import work_pair
from ui.services import Services

if TYPE_CHECKING:
    from trainer.catalogue import Model

SENSE, TRANSLATION = "sense", "translation"
STYLES = ("last", "neighbours", "hinted")  # those in which all words of a context are answered
MOST_CONTEXTS = 50
MOST_TEXT = 20_000  # characters


class CompareDesk(JobsDesk):
    """A desk over two models of the catalogue."""

    def __init__(self, services: Services):
        super().__init__(services)
        self._bench: Any = services.workbench

    async def models(self, asked: Reply) -> Reply:
        """The models that can be set beside each other here."""
        return await self._run(lambda: {"models": self._models()})

    def _models(self) -> list[Reply]:
        """The models that answer words of any pair as readers get them or translate sentences."""
        from trainer.catalogue import list_models

        models = list_models(self._store, self._settings)
        found = [one for one in models if answers(one) or one.task == TRANSLATION]
        readers = {key: self._present(*key) for key in {(m.pair, m.task) for m in found}}
        return [
            to_model(one) | {"present": one.version == readers[one.pair, one.task]} for one in found
        ]

    def _present(self, pair: str, task: str) -> str:
        """The version that readers have; "" where its folder is refused."""
        from engine.checking import AdapterError
        from trainer.catalogue import ModelError
        from trainer.promote import present

        try:
            return present(self._settings, pair, task).version
        except (AdapterError, ModelError):
            return ""

    def _sides(self, asked: Reply, task: str = SENSE) -> tuple[Model, Model]:
        """The two models that are meant; Bad where they are one, or one is none."""
        pair = work_pair(asked)
        left, right = (self._model(text_of(asked, side), pair, task) for side in ("left", "right"))
        if left.version == right.version:
            raise Bad("same_model")
        return left, right

    def _model(self, name: str, pair: str, task: str = SENSE) -> Model:
        """The model of this name, which must do this for the pair; Bad where it does not."""
        from trainer.catalogue import BASE, find_model

        model = find_model(name, self._store, self._settings)
        fits = model.name == BASE or (model.pair, model.task) == (pair, task)
        if not fits or (task == SENSE and not answers(model)):
            raise Bad("model_style" if task == SENSE else "model_task")
        return model


def answers(model: Model) -> bool:
    """Whether the model answers words within bounds, as readers get them."""
    return model.task == SENSE and model.style in STYLES


def to_model(model: Model) -> Reply:
    """A model as a choice."""
    return {
        "name": model.name,
        "title": visible(model.title),
        "version": model.version,
        "pair": model.pair,
        "task": model.task,
        "made": model.made,
        "bytes": model.bytes,
    }


def task_of(asked: Reply) -> str:
    """What is meant, words or whole sentences; words where nothing is said."""
    return check_choice("task", text_of(asked, "task") or SENSE, (SENSE, TRANSLATION))


def folders(*models: Model) -> list[Path | None]:
    return [model.folder for model in models]


def to_answer(query: Query, sense: Sense, confidence: float | None = None) -> Reply:
    """A sense in the form in which evaluations keep it, too."""
    phrase = sense.phrase
    return {
        "class": sense.word_class,
        "zh": visible(sense.meaning),
        "members": list(phrase.members) if phrase else [],
        "phrase": phrase_words(query, phrase) if phrase else "",
        "phrase_zh": visible(phrase.meaning) if phrase else "",
        "confidence": confidence,
    }

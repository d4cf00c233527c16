"""Whole sentences by several models beside each other: those over one base write in one batch, each
row under its adapter; a translator that needs no base writes alone.

Loads what it is asked for, and keeps it until it is cleared. Knows no names of models, only their
folders (None: the base alone). Torch is imported when something is loaded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from engine.settings import Settings

if TYPE_CHECKING:
    from engine.checking import Adapter
    from engine.models import Base
    from engine.residents import Residents
    from engine.translation import Translated
    from engine.translator import Translator

MOST_ALONE = 2  # translators without a base in memory

Progress = Callable[[float], None]


class SentenceBench:
    """`opened` gives the base, loaded where it is not. One thing is done at a time."""

    def __init__(self, settings: Settings, opened: Callable[[Progress], Base]):
        self._settings, self._opened = settings, opened
        self._residents: Residents | None = None
        self._alone: OrderedDict[str, Base] = OrderedDict()  # by version

    @property
    def is_loaded(self) -> bool:
        return self._residents is not None or bool(self._alone)

    def clear(self) -> None:
        """Give back what is held."""
        self._residents = None
        self._alone.clear()

    def translate(
        self,
        folders: Sequence[Path | None],
        sentences: Sequence[str],
        pair: str,
        progress: Progress,
    ) -> list[list[Translated]]:
        """For each model and each sentence what it writes, up to its end and behind it. The base
        alone is asked in the style of the adapters beside it. BaseError or AdapterError says what
        is missing."""
        from engine.catalogue import read_folder
        from engine.translator import Translator

        models = [read_folder(folder) if folder else None for folder in folders]
        over = {n: one for n, one in enumerate(models) if not isinstance(one, Translator)}
        found = self._over_base(over, sentences, pair, progress) if over else {}
        for number, one in enumerate(models):
            if isinstance(one, Translator):
                found[number] = self._by_itself(one, sentences, pair)
                progress(len(found) / len(models))
        return [found[number] for number in range(len(models))]

    def _over_base(
        self,
        models: Mapping[int, Adapter | None],
        sentences: Sequence[str],
        pair: str,
        progress: Progress,
    ) -> dict[int, list[Translated]]:
        from engine.residents import Residents
        from engine.together import translate_under
        from engine.translation import Asked, prompt_of

        base = self._opened(progress)
        self._residents = self._residents or Residents(base)
        styles = {number: one.card.style for number, one in models.items() if one}
        usual = next(iter(styles.values()), "short")
        rows = [
            (Asked(sentence, prompt, pair), one)
            for number, one in models.items()
            for prompt in [prompt_of(base.tokenizer, styles.get(number, usual))]
            for sentence in sentences
        ]
        written = iter(translate_under(self._residents, rows))
        return {number: list(islice(written, len(sentences))) for number in models}

    def _by_itself(
        self, translator: Translator, sentences: Sequence[str], pair: str
    ) -> list[Translated]:
        from engine.alone import load_translator
        from engine.translation import TaggedPrompt, translate_all

        if translator.version not in self._alone:
            self._alone[translator.version] = load_translator(translator, self._settings)
        self._alone.move_to_end(translator.version)
        while len(self._alone) > MOST_ALONE:
            self._alone.popitem(last=False)
        model = self._alone[translator.version]
        return translate_all(model.model, TaggedPrompt(model.tokenizer), sentences, pair)

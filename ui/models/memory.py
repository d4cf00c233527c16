"""What models take in memory, and which of them may be loaded or given back there.

Adapters stay beside one base and are exchanged by the request, those of whole sentences and those
of words; a translator stays alone. Only that of English–Chinese words is merged into a model of its
own, which answers all day: it can be taken out by promoting another one, and in no other way.
Knows no gradio and no torch.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.beside import MERGED, TASK
from engine.checking import Adapter
from engine.translator import Translator
from ui.desk import Bad, Reply
from ui.services import Services

if TYPE_CHECKING:
    from trainer.catalogue import Model


class Memory:
    """What is in memory for readers."""

    def __init__(self, services: Services):
        self._lookup: Any = services.lookup
        self._translations: Any = services.translations  # has the base, for words as well

    def told(self) -> Reply:
        """What is there beside the model of English–Chinese words."""
        loaded = self._translations.loaded() if self._translations else ()
        return {
            "base": self._translations.base_bytes() if self._translations else 0,
            "adapters": sum(one.bytes for one in loaded),
            "count": len(loaded),
        }

    def of(self, model: Model, adapter: Adapter | Translator, here: bool) -> Reply:
        """How a model stands in memory, by its name: `loaded` and `merged` are there, of `form` a
        smaller form is; `free` may be loaded; of any other (`away`) readers would use nothing.
        `here`: readers have it."""
        loaded = self._loaded().get(model.version, 0)
        return {
            "memory": self._state(model, here, loaded),
            "loaded": loaded,
            "needs": adapter.needs,
            "used": self._used(model),
        }

    def load(self, adapter: Adapter | Translator, here: bool) -> None:
        """Loads what readers have, before anybody asks; Bad where nobody would use it."""
        self._check(adapter)
        if not here:
            raise Bad("adapter_not_readers")
        self._translations.load(adapter)

    def unload(self, adapter: Adapter | Translator) -> bool:
        """Gives an adapter's memory back; whether it was there. Bad where it is no one's alone."""
        self._check(adapter)
        return self._translations.unload(adapter.version)

    def forget(self, version: str) -> None:
        """Of a model that is deleted nothing stays."""
        if self._translations:
            self._translations.unload(version)

    def _state(self, model: Model, here: bool, loaded: int) -> str:
        if _is_merged(model.pair, model.task):
            status = self._lookup.status()
            if status.state != "ready" or status.version != model.version:
                return "away"
            return "form" if status.form else "merged"
        if loaded:
            return "loaded"
        return "free" if here and self._translations else "away"

    def _loaded(self) -> dict[str, int]:
        found = self._translations.loaded() if self._translations else ()
        return {one.version: one.bytes for one in found}

    def _used(self, model: Model) -> str:
        """When a reader last had answers of it, in UTC, or ""."""
        holder = self._lookup if model.task == TASK else self._translations
        used = holder.last_used(model.version) if holder else None
        return datetime.fromtimestamp(used, UTC).isoformat(timespec="seconds") if used else ""

    def _check(self, adapter: Adapter | Translator) -> None:
        if self._translations is None or _is_merged(adapter.card.pair, adapter.card.task):
            raise Bad("adapter_merged")


def _is_merged(pair: str, task: str) -> bool:
    """Whether readers have adapters of this kind merged."""
    return (pair, task) == (MERGED, TASK)

"""Adapters that stay in memory beside one base and are exchanged by the request.

An adapter is loaded when it is first used and kept while there is room; over the budget, the least
recently used goes. One lock: whoever uses the model has it alone. The base is never written to, and
with no adapter it gives bit for bit what it gave before. An adapter's key is its version, a hash of
all that it holds, so one name can never mean two adapters.
"""

from __future__ import annotations

import copy
import json
import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft.utils.integrations import dequantize_module_weight
from safetensors.torch import load_file

from engine.adapters import linear_sizes
from engine.checking import (
    CONFIG,
    WEIGHTS,
    Adapter,
    AdapterError,
    BaseShape,
    check_fits,
    read_adapter,
)
from engine.models import Base
from engine.seats import Addition, Seat, give, set_seats

BUDGET = 256 << 20  # bytes of adapters, float32 as they are used


@dataclass(frozen=True)
class Resident:
    """An adapter in memory: its bytes there, how long its loading took, when it was last used (UTC,
    seconds since 1970) and how often."""

    version: str
    name: str
    pair: str
    task: str
    bytes: int
    seconds: float
    last_used: float
    uses: int


@dataclass
class _Loaded:
    adapter: Adapter
    additions: dict[str, Addition]
    bytes: int
    seconds: float
    last_used: float = 0.0
    uses: int = 0


class Residents:
    """The adapters over one base, at most `budget` bytes of those that nobody holds; the one that
    was used last stays in any case."""

    def __init__(self, base: Base, budget: int = BUDGET):
        self.base, self._budget = base, budget
        self._shape = BaseShape(base.name, base.revision, linear_sizes(base.model))
        # A structure of its own over the base's weights: the base's model stays as it is.
        weights = {id(one): one for one in (*base.model.parameters(), *base.model.buffers())}
        self._model: Any = copy.deepcopy(base.model, weights).eval()
        self._seats = set_seats(self._model)
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()  # the least recently used first
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def using(self, *adapters: Adapter | None) -> Iterator[Any]:
        """The model, alone, under one adapter, or under one for each row of a batch; None is the
        base. AdapterError where one does not fit or is not what it was when it was checked."""
        with self._lock:
            rows = [None if one is None else self._find(one).additions for one in adapters]
            give(self._seats, rows or [None])
            try:
                yield self._model
            finally:
                give(self._seats, [None])
                self._trim()

    def hold(self, adapters: Iterable[Adapter]) -> None:
        """Keep these, over the budget too, until they are let go as often: who uses them again and
        again must not load them again and again."""
        with self._lock:
            self._held.update(one.version for one in adapters)

    def let_go(self, adapters: Iterable[Adapter]) -> None:
        """The end of `hold`."""
        with self._lock:
            self._held -= Counter(one.version for one in adapters)
            self._trim()

    def unload(self, version: str) -> bool:
        """Give the memory of one adapter back; whether it was here."""
        with self._lock:
            return self._loaded.pop(version, None) is not None

    def loaded(self) -> tuple[Resident, ...]:
        """The adapters in memory, the least recently used first."""
        return tuple(
            Resident(
                version, one.adapter.card.name, one.adapter.card.pair, one.adapter.card.task,
                one.bytes, one.seconds, one.last_used, one.uses,
            )
            for version, one in list(self._loaded.items())
        )  # fmt: skip

    @property
    def bytes(self) -> int:
        """What all adapters in memory take."""
        return sum(one.bytes for one in list(self._loaded.values()))

    @property
    def base_bytes(self) -> int:
        """What the base itself takes."""
        return sum(one.nbytes for one in self._model.parameters())

    def _find(self, adapter: Adapter) -> _Loaded:
        found = self._loaded.get(adapter.version)
        if found is None:
            found = self._loaded[adapter.version] = self._load(adapter)
        self._loaded.move_to_end(adapter.version)
        found.last_used, found.uses = time.time(), found.uses + 1
        return found

    def _load(self, adapter: Adapter) -> _Loaded:
        start = time.perf_counter()
        now = read_adapter(adapter.folder)  # it may have been exchanged since it was listed
        if now.version != adapter.version:
            raise AdapterError(f"{adapter.folder} changed after it was checked", "changed")
        check_fits(now, self._shape)
        additions = _read_additions(now, self._seats, self.base.choice.device)
        size = sum(one.bytes for one in additions.values())
        return _Loaded(now, additions, size, time.perf_counter() - start)

    def _trim(self) -> None:
        over = self.bytes - self._budget
        for version, one in list(self._loaded.items())[:-1]:
            if over > 0 and not self._held[version]:
                del self._loaded[version]
                over -= one.bytes


def _read_additions(adapter: Adapter, seats: dict[str, Seat], device: str) -> dict[str, Addition]:
    """A checked adapter's tensors by layer, in float32 as PEFT has them."""
    config = json.loads((adapter.folder / CONFIG).read_text(encoding="utf-8"))
    rank, alpha = config.get("r", 8), config.get("lora_alpha", 8)
    scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    stored = load_file(adapter.folder / WEIGHTS, device=device)
    found = {}
    for name in adapter.matrices:
        key = f"base_model.model.{name}"
        if name not in seats:
            raise AdapterError(f"{adapter.folder} adds to {name}, which has no place", "shapes")
        a, b = (stored[f"{key}.lora_{part}.weight"].float() for part in "AB")
        lengths = stored.get(f"{key}.lora_magnitude_vector")
        factor = None
        if lengths is not None:
            whole = dequantize_module_weight(seats[name].linear).float() + scale * (b @ a)
            factor = lengths.float() / torch.linalg.norm(whole, dim=1)
        found[name] = Addition(a, b, scale, factor)
    return found

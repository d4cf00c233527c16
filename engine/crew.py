"""Many batches of one model at once on a processor: a thread for each core, each with its products
to itself. A batch's small operations and its Python keep one core at most, so two batches beside
each other take less time than one after the other on two cores. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

Map = Callable[..., Iterator[Any]]
"""Called as `map` is: what to do, and with what."""


@contextmanager
def crew(size: int) -> Iterator[Map]:
    """`map` over `size` threads. Threads that begin elsewhere meanwhile have one core as well, so
    it is for processes with nothing else to do."""
    import torch

    if size < 2:
        yield map
        return
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(size, "crew", torch.set_num_threads, (1,)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(before)

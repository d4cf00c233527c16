"""What the tabs are given to work with; built once in app.py, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.settings import Settings
from ui.access import Access

if TYPE_CHECKING:
    from engine.lookup import Lookup
    from engine.translations import Translations
    from engine.workbench import Workbench
    from trainer.jobs.queue import Jobs


@dataclass(frozen=True)
class Services:
    """A tab takes these and uses only what it needs."""

    settings: Settings
    lookup: Lookup
    store: Any
    access: Access
    jobs: Jobs | None = None
    workbench: Workbench | None = None
    translations: Translations | None = None

"""What all recipes have that ask a model behind a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.teacher import TIMEOUT, Teacher, check_url, read_key
from trainer.jobs.recipes import described, require

PAIRS = ("en-zh",)


@dataclass(frozen=True)
class ServerRecipe:
    """Which server and model is asked, and how fast."""

    url: str = described("address of an OpenAI-compatible server", "")
    model: str = described("the model's name there; its labels are given by that name", "")
    pair: str = described("source and target language", "en-zh")
    concurrency: int = described("requests under way at once", 4)
    rate: float = described("requests a second at most; 0: as many as can be", 0.0)
    max_tokens: int = described("tokens of one answer at most", 512)
    timeout: float = described("seconds that one answer may take", TIMEOUT)

    def __post_init__(self) -> None:
        require(self, self.checks())

    def checks(self) -> dict[str, bool]:
        """Each field that not every value fits, and whether its value does."""
        return {
            "url": bool(self.url),
            "model": bool(self.model.strip()) and len(self.model) <= 200
            and self.model.isprintable(),
            "pair": self.pair in PAIRS,
            "concurrency": 1 <= self.concurrency <= 64,
            "rate": 0 <= self.rate <= 1000,
            "max_tokens": 16 <= self.max_tokens <= 32_768,
            "timeout": 1 <= self.timeout <= 3600,
        }  # fmt: skip

    def whole(self) -> Mapping[str, Any]:
        """The recipe as it is kept; TeacherError where the address is none."""
        if not self.url:
            return asdict(self)
        return asdict(self) | {"url": check_url(self.url), "model": self.model.strip()}

    def teacher(self) -> Teacher:
        """The client, with the key of this process's environment."""
        return Teacher(self.url, self.model, read_key(self.url), self.timeout)

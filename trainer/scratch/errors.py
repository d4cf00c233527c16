"""What a run from nothing is refused for, by a code that people read in their language."""

from __future__ import annotations

from trainer.fields import RecipeError


class ScratchError(RecipeError):
    """A run that cannot be, or a model that cannot be used. `code` names the reason, for which the
    app has a text (`failed_CODE`); the message says what to do."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code

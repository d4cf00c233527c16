"""Who may do what. At home everything is open; a hosted app offers reading only.

Every handler that writes calls `check_write` itself: hiding a button protects nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.settings import Settings


class Refused(Exception):
    """Something this app does not let this person do. `code` names the reason."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Access:
    """The rules of one running app."""

    hosted: bool

    @classmethod
    def of(cls, settings: Settings) -> Access:
        return cls(hosted=settings.hosted)

    def check_write(self) -> None:
        """Returns where writing is allowed; raises Refused where it is not."""
        if self.hosted:
            raise Refused("hosted_read_only")

"""What the desks behind the pages share: requests come from strangers, replies never raise.

A desk's method takes the JSON that a page sends and returns plain JSON; a refusal is
{"error": code, …}. Knows no gradio.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from db.store import StoreError
from engine.lookup import LookupFailed
from engine.sense import QueryError
from ui.access import Refused

log = logging.getLogger(__name__)

Reply = dict[str, Any]
Served = Callable[[object], Awaitable[Reply]]


class Bad(Exception):
    """A request that the page would not make like this, or can mend. `code` names the reason."""

    def __init__(self, code: str, **details: object):
        self.code, self.details = code, details
        super().__init__(code)


def guarded(method: Callable[[Reply], Awaitable[Reply]]) -> Served:
    """`method` as a function of its own (gradio marks what it serves, and gives its name to the
    component: none may be called like one of gradio's attributes) that replies to errors."""

    async def served(asked: object) -> Reply:
        try:
            if not isinstance(asked, dict):
                raise Bad("not_understood")
            return await method(asked)
        except (Bad, QueryError) as error:
            return {"error": error.code, **error.details}
        except (LookupFailed, Refused) as error:
            return {"error": error.code}
        except StoreError as error:
            log.warning("refused: %s", error.code)
            return {"error": error.code}
        except Exception as error:
            number = secrets.token_hex(4)
            log.error("error %s", number, exc_info=error)
            return {"error": "unexpected", "id": number}

    served.__name__ = method.__name__
    return served


def named(act: Callable[[], Reply], telling: bool = True) -> Reply:
    """What `act` gives; an error that names its reason by a code becomes Bad, with what it says
    where strangers may read that (`telling`)."""
    try:
        return act()
    except (Bad, StoreError, Refused):
        raise
    except Exception as error:
        code = getattr(error, "code", None)
        if not isinstance(code, str) or not code:
            raise
        raise Bad(code, **({"detail": str(error)[:300]} if telling else {})) from error


def text_of(asked: Reply, key: str) -> str:
    """The text under `key`, "" where there is none; Bad where it is something else."""
    text = asked.get(key, "")
    if not isinstance(text, str):
        raise Bad("not_understood")
    return text.strip()


def number_of(asked: Reply, key: str) -> int:
    """The whole number from 0 on under `key`; Bad where it is something else."""
    number = asked.get(key)
    if not is_index(number, 2**53):
        raise Bad("not_understood")
    return number


def is_index(value: object, length: int) -> bool:
    """Whether it is a whole number from 0 to below `length`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < length

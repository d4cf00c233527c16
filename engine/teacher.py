"""A client for a teacher: a model behind a server that speaks OpenAI's chat protocol (Ollama,
llama.cpp, vLLM, MLX, transformers serve, the Hugging Face router).

Messages in, text out; a failure says what it means for whoever waits. Knows no queries and no
torch. The key comes from the environment and is taken out of everything that a server says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

KEY, KEY_URL = "CTX_TEACHER_KEY", "CTX_TEACHER_URL"
TIMEOUT = 120.0  # seconds for one answer
_LONGEST_WAIT = 3600.0  # seconds; a server that asks for more is asked again before
_MAX_URL = 500
_MAX_TEXT = 500  # characters of what a server says of a failure
# What servers answer that do not know response_format; some call it a failure of their own.
_NO_SCHEMA = (400, 422)
_MAYBE_NO_SCHEMA = (500, 501)
_DOWN = (502, 503, 504)
_FATAL = {401: "unauthorized", 402: "unauthorized", 403: "unauthorized", 404: "no_model"}

Message = Mapping[str, str]


class TeacherError(RuntimeError):
    """A request without an answer. `code`: busy, down, timeout and failed may pass; refused is for
    this request alone; unauthorized, no_model, moved and bad_url are for all. `wait`: seconds that
    the server asks for, if it said so."""

    def __init__(self, code: str, text: str, status: int = 0, wait: float | None = None):
        self.code, self.status, self.wait = code, status, wait
        super().__init__(text)

    @property
    def fatal(self) -> bool:
        """Whether no other request can do better."""
        return self.code in ("unauthorized", "no_model", "moved", "bad_url")


@dataclass(frozen=True)
class Reply:
    """What a model wrote; `whole` is False where it was cut off at the limit of tokens."""

    text: str
    tokens_in: int
    tokens_out: int
    seconds: float
    whole: bool = True


def check_url(text: str) -> str:
    """A server's address as it is used: up to and with /v1 or whatever stands in its place.
    TeacherError("bad_url") where it is none, or holds a name or password."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(text) > _MAX_URL or not text.isprintable() or " " in text:
        raise TeacherError("bad_url", "a teacher's address is http://… or https://…")
    if parts.username is not None or parts.password is not None:
        raise TeacherError("bad_url", f"no name or password in the address: the key is {KEY}")
    if parts.query or parts.fragment:
        raise TeacherError("bad_url", "a teacher's address ends with its path, without ? or #")
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def read_key(url: str) -> str:
    """The key for the server at this address, or "". It goes only to the server in CTX_TEACHER_URL:
    whoever may write an address must not be able to have the key sent there."""
    known = os.environ.get(KEY_URL, "").strip()
    if not known or _origin(known) != _origin(url):
        return ""
    return os.environ.get(KEY, "").strip()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(check_url(url))
    return parts.scheme, parts.netloc.lower()


class Teacher:
    """One model of one server."""

    def __init__(self, url: str, model: str, key: str = "", timeout: float = TIMEOUT):
        self.url, self.model = check_url(url), model
        if not (key.isascii() and key.isprintable()):
            raise TeacherError("unauthorized", f"{KEY} holds characters that no key has")
        self._key = key
        self._schemas = True  # until the server says that it knows none
        self._has_held = False  # whether it ever held to one
        self._client = _make_client(self.url, key, timeout)

    async def complete(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
    ) -> Reply:
        """What the model writes next, held to the JSON schema where the server can do that;
        TeacherError where there is nothing."""
        if schema is None or not self._schemas:
            return await self._send(messages, None, max_tokens)
        try:
            reply = await self._send(messages, schema, max_tokens)
            self._has_held = True
            return reply
        except TeacherError as error:
            maybe = error.status in _MAYBE_NO_SCHEMA and not self._has_held
            if not maybe and error.status not in _NO_SCHEMA:
                raise
        reply = await self._send(messages, None, max_tokens)
        self._schemas = False  # the same request went through without it
        return reply

    async def models(self) -> tuple[str, ...]:
        """The names of the server's models; TeacherError where it does not say."""
        import openai

        try:
            found = await self._client.models.list()
            return tuple(str(model.id) for model in found.data)
        except openai.OpenAIError as error:
            raise self._named(error) from None
        except (AttributeError, TypeError, ValueError) as error:
            raise TeacherError("failed", f"no list of models: {error!r}") from None

    async def close(self) -> None:
        await self._client.close()

    async def _send(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None, max_tokens: int
    ) -> Reply:
        import openai

        form: dict[str, Any] = {}
        if schema is not None:
            named = {"name": "answer", "strict": True, "schema": schema}
            form["response_format"] = {"type": "json_schema", "json_schema": named}
        start = time.monotonic()
        try:
            found = await self._client.chat.completions.create(
                model=self.model, messages=messages, temperature=0.0, max_tokens=max_tokens, **form
            )
            return self._read(found, time.monotonic() - start)
        except openai.OpenAIError as error:
            # Not `from error`: what is chained is printed, and the request holds the key.
            raise self._named(error) from None
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise TeacherError("failed", self._hide(f"no chat completion: {error!r}")) from None

    def _read(self, found: Any, seconds: float) -> Reply:
        """A chat completion as a reply; any of several errors where it is none."""
        choice, usage = found.choices[0], found.usage
        return Reply(
            self._hide(str(choice.message.content or "")),
            int(usage.prompt_tokens or 0) if usage else 0,
            int(usage.completion_tokens or 0) if usage else 0,
            seconds,
            choice.finish_reason != "length",
        )

    def _named(self, error: Exception) -> TeacherError:
        """The library's error as one of ours, without the key."""
        import openai

        text = self._hide(str(error))[:_MAX_TEXT]
        if isinstance(error, openai.APITimeoutError):
            return TeacherError("timeout", text)
        if isinstance(error, openai.APIConnectionError):
            return TeacherError("down", self._hide(f"{text} {error.__cause__ or ''}").strip())
        if not isinstance(error, openai.APIStatusError):
            return TeacherError("failed", text)
        status = error.status_code
        wait = retry_after(error.response.headers.get("retry-after"))
        return TeacherError(_code(status), text, status, wait)

    def _hide(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def retry_after(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None for neither."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    if seconds != seconds:  # NaN
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _code(status: int) -> str:
    if status in _FATAL:
        return _FATAL[status]
    if status == 429:
        return "busy"
    if status == 408:
        return "timeout"
    if status in _DOWN:
        return "down"
    if status >= 500:
        return "failed"
    return "moved" if status < 400 else "refused"


def _make_client(url: str, key: str, timeout: float) -> Any:
    """The library's client. It never repeats a request itself, as only whoever asks knows how long
    to wait, and follows no redirect, which could lead anywhere."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    with _without_others():
        return AsyncOpenAI(
            base_url=url,
            api_key=key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout),
        )


@contextmanager
def _without_others() -> Iterator[None]:
    """What the environment holds for OpenAI's own server (keys, headers) is not sent to this one:
    the library would add it."""
    others = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("OPENAI_")}
    try:
        yield
    finally:
        os.environ.update(others)

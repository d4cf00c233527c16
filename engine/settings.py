"""The one Settings: read once from the environment at start, then handed around, never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from engine.present import BASE, read_pointer

VERSION = "0.1.0"
EMBEDDED = "gemma-3-270m"  # what the embedded base is called
SMALL = "small"  # of CTX_FORM, and the folder of its assets


class SettingsError(ValueError):
    """An environment variable that cannot be used, with its name."""


def _setting(variable: str, text: str, default: Any) -> Any:
    return field(default=default, metadata={"variable": variable, "help": text})


@dataclass(frozen=True)
class Settings:
    """Where things are and how much is allowed."""

    home: Path = _setting(
        "CTX_HOME", "folder of the database, converted models and adapters",
        user_data_path("ctx-translator", appauthor=False),
    )  # fmt: skip
    base: str = _setting(
        "CTX_BASE", "base model: embedded, a hub id, or a local folder", "embedded"
    )
    adapter: str = _setting(
        "CTX_ADAPTER", "adapter folder for en-zh senses, none, or shipped: what was promoted",
        "shipped",
    )  # fmt: skip
    form: str = _setting(
        "CTX_FORM", "smaller numbers for English-Chinese words, as python -m trainer quantise made"
        " and passed them (int8, …); small: the student that ships; plain: the model as it is",
        "plain",
    )  # fmt: skip
    data: Path | None = _setting("CTX_DATA", "folder where recipes find their data", None)
    device: str = _setting("CTX_DEVICE", "auto, cpu, cuda or mps", "auto")
    dtype: str = _setting("CTX_DTYPE", "auto, bfloat16, float16 or float32", "auto")
    host: str = _setting("CTX_HOST", "address the server listens on", "127.0.0.1")
    port: int = _setting("CTX_PORT", "port the server listens on", 7860)
    keep_days: int = _setting(
        "CTX_KEEP_DAYS", "days that looked-up text is kept on disk; 0 keeps it in memory only", 30
    )
    max_passage: int = _setting("CTX_MAX_PASSAGE", "characters of one pasted passage", 200_000)
    hosted: bool = _setting("SPACE_ID", "set by Hugging Face Spaces: offer reading only", False)

    @property
    def database(self) -> Path:
        return self.home / "ctx.db"

    @property
    def adapter_folder(self) -> Path | None:
        """The folder of the readers' adapter, or None for the bare base."""
        if self.adapter == "none":
            return None
        if self.adapter == "shipped":  # or what was promoted since
            present = read_pointer(self.home)
            if present.folder:
                return self.home / present.folder
            return None if present.model == BASE else assets() / "adapters" / "en-zh-sense"
        return Path(self.adapter).expanduser()


def base_name(settings: Settings) -> str:
    """What the base that the settings name is called, as cards name it before the @."""
    return EMBEDDED if settings.base == "embedded" else settings.base.rstrip("/").split("/")[-1]


def assets() -> Path:
    """The folder of files that ship with the app."""
    return Path(__file__).resolve().parent.parent / "assets"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; SettingsError names a variable that does not fit."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        variable = setting.metadata["variable"]
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            values[setting.name] = _parse(setting.name, text)
        except ValueError as error:
            raise SettingsError(f"{variable}={text!r}: {setting.metadata['help']}") from error
    if values.get("hosted"):
        values.setdefault("host", "0.0.0.0")
        values.setdefault("keep_days", 0)
        values.setdefault("form", SMALL)
    return Settings(**values)


def _parse(name: str, text: str) -> Any:
    if name in ("home", "data"):
        return Path(text).expanduser().resolve()
    if name in ("port", "keep_days", "max_passage"):
        number = int(text)
        if number < 0 or (name == "port" and number > 65535):
            raise ValueError(text)
        return number
    if name == "hosted":
        return True
    choices = {
        "device": ("auto", "cpu", "cuda", "mps"),
        "dtype": ("auto", "bfloat16", "float16", "float32"),
    }.get(name)
    if choices and text not in choices:
        raise ValueError(text)
    return text


def describe_settings() -> str:
    """A line a variable: name, meaning and default, as the README lists them."""
    rows = []
    for setting in fields(Settings):
        default = "by platform" if setting.name == "home" else setting.default
        rows.append(f"{setting.metadata['variable']}: {setting.metadata['help']} ({default})")
    return "\n".join(rows)

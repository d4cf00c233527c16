"""Reads the page parts in assets/: templates, scripts, styles. No request leaves the page.

Gradio fills `{{…}}` and `${…}` in templates and runs what it finds there, so ours have neither.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.settings import Settings, assets
from ui.port import port_taken

_UI_FONT = (
    "system-ui", "-apple-system", "Segoe UI", "Roboto", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "sans-serif",
)  # fmt: skip
_STYLES = (
    "base", "masthead", "views", "passage", "card", "form", "sheet", "pairs", "label", "queue",
    "table", "adjudicate", "lists", "bring", "data", "plots", "teacher", "work", "train-new",
    "train-scratch", "train-quantise", "train-run", "train-runs", "train-plots", "compare",
    "compare-figures", "models",
)  # fmt: skip
_HOME_UPLOAD, _HOSTED_UPLOAD = 500_000_000, 1_000_000  # bytes


def read_page(name: str) -> str:
    """The static template of that name."""
    template = (assets() / "html" / f"{name}.html").read_text(encoding="utf-8")
    if any(mark in template for mark in ("${", "{{", "`", "\\")):
        raise ValueError(f"{name}.html is not static")
    return template


def read_script(*names: str) -> str:
    """These scripts in one; they share one scope and leave no names outside it."""
    files = [assets() / "js" / f"{name}.js" for name in names]
    return "\n".join(["'use strict';", *(file.read_text(encoding="utf-8") for file in files)])


def make_blocks() -> gr.Blocks:
    """The empty app; files of strangers are deleted after an hour."""
    return gr.Blocks(title="CTX-Translator", analytics_enabled=False, delete_cache=(3600, 3600))


def serve(app: gr.Blocks, settings: Settings) -> None:
    """Begin to serve, without waiting for the end; SettingsError where the port is taken."""
    try:
        app.launch(**launch_options(settings))
    except OSError as error:
        raise port_taken(settings) from error


def launch_options(settings: Settings) -> dict[str, Any]:
    """How gradio serves the app: where, its looks, and nothing more open than needed."""
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "prevent_thread_lock": True,
        "blocked_paths": [str(settings.home)],
        "theme": _make_theme(),
        "head": _read_head(),
        "footer_links": [],
        "run_history": False,  # gradio would keep every pasted text in the browser
        "max_file_size": largest_upload(settings),
        "show_error": False,
        "ssr_mode": False,
    }


def largest_upload(settings: Settings) -> int:
    """Bytes of a file that pages may send: gradio takes files from anybody, asked or not."""
    return _HOSTED_UPLOAD if settings.hosted else _HOME_UPLOAD


def _read_head() -> str:
    """The styles, for the page's head: there gradio leaves the selectors as they are."""
    files = [assets() / "css" / f"{name}.css" for name in _STYLES]
    styles = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return f"<style>\n{styles}</style>"


def _make_theme() -> gr.themes.Base:
    """A theme with fonts of the system, by name: no font is fetched."""
    return gr.themes.Base(font=list(_UI_FONT), font_mono=["ui-monospace", "Consolas", "monospace"])

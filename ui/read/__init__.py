"""The Read tab: paste a text, click a word, see what it means in its sentence.

The page itself is one gr.HTML with a static template (assets/html/read.html); its scripts set
every text with textContent and ask the desk through server functions: measured at 3,000 words, a
click is painted in little more than half the time of an event, and no reply can overwrite another
(`python -m tests.benchmarks.words`).
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.settings import assets
from ui.page import read_page, read_script
from ui.read.desk import Desk
from ui.services import Services
from ui.strings import STRINGS

# In the order in which their names are used; joined into one function that gradio runs.
_SCRIPTS = (
    "language", "part", "pair", "read/dom", "read/model", "read/ask", "read/passage", "read/paint",
    "read/card", "read/whole", "read/not_right", "read/sheet", "read/pairs", "read/editor",
    "read/keys", "read/start",
)  # fmt: skip


def build_read(services: Services) -> None:
    """The tab's page and its wiring, inside the Blocks at hand."""
    desk = Desk(services)
    page = gr.HTML(
        value=desk.status(""),
        html_template=read_page("read"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="read",
        server_functions=list(desk.served().values()),
        strings=STRINGS,
        examples=read_examples(),
        limits={"passage": services.settings.max_passage, "hosted": services.access.hosted},
    )

    def greet(request: gr.Request) -> dict[str, Any]:
        return desk.status(request.session_hash or "")

    # No trigger: runs once when a page is loaded, and tells it its name. The page's one event: with
    # several, a stream that ends can take the next one's reply with it.
    gr.on(
        None,
        greet,
        outputs=page,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=None,
    )

    def leave(request: gr.Request) -> None:
        desk.leave(request.session_hash or "")

    gr.context.Context.root_block.unload(leave)


def read_examples() -> list[dict[str, str]]:
    """The sample passages: English title, Chinese title, a blank line, the text. Those in another
    language than English stand in a folder of its code."""
    examples = []
    for file in sorted((assets() / "passages").rglob("*.txt")):
        english, chinese, text = file.read_text(encoding="utf-8").split("\n", 2)
        folder = file.parent.name
        language = "en" if folder == "passages" else folder
        examples.append(
            {"en": english, "zh-CN": chinese, "text": text.strip(), "language": language}
        )
    return examples

"""The bar above a tab's views: one button each, and who is at work. Which view is shown is said by
the page's fragment (#label/queue); the bar's own choices stay in the browser. What is
labelled, trained and compared is of one pair of languages, which is chosen there, too.
"""

from __future__ import annotations

import asyncio

import gradio as gr

from ui.desk import Reply, guarded
from ui.page import read_page, read_script
from ui.pairs import list_work_pairs
from ui.services import Services
from ui.strings import STRINGS


def build_views(tab: str, services: Services) -> None:
    """The bar of html/<tab>/views.html, inside the Blocks at hand."""

    async def pairs(asked: Reply) -> Reply:
        return {"pairs": await asyncio.to_thread(list_work_pairs, services)}

    gr.HTML(
        html_template=read_page(f"{tab}/views"),
        js_on_load=read_script("language", "part", "pair", "views"),
        apply_default_css=False,
        elem_id=f"{tab}-views",
        server_functions=[guarded(pairs)],
        strings=STRINGS,
        tab=tab,
        limits={"hosted": services.access.hosted},
    )

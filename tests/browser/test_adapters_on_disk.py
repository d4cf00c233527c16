"""The Models tab's adapters on disk: one is sent, loaded, given back, saved and deleted; what is
refused says why; and all of it by keyboard alone.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.keyboard import tab_to
from tests.browser.pages import App
from tests.fake_translations import SHAPE
from tests.made_adapters import make_adapter
from tests.tiny_scratch import tiny_translator

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def app(tmp_path: Path, start_app: Callable[..., App]) -> App:
    home = tmp_path / "home"
    home.mkdir()
    return start_app("--home", str(home))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    told = {"n": 200, "chrf": {"value": 48.4, "interval": [47.2, 49.6]}}
    return make_adapter(
        tmp_path / "mine", SHAPE, pair="en-fr", name="<b>French</b>", licence="CC BY 4.0",
        scores={"test tatoeba": told},
    )  # fmt: skip


def zipped(folder: Path) -> Path:
    file = folder.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as out:
        for one in folder.iterdir():
            out.write(one, f"mine/{one.name}")
    return file


def open_models(page: Page, app: App) -> Locator:
    page.goto(app.url + "/#models/list")
    page.wait_for_selector("#models-list .ctx-work[data-state=shown]")
    return page.locator("#models-list")


def test_sent_loaded_saved_and_deleted(page: Page, app: App, folder: Path, tmp_path: Path):
    models = open_models(page, app)
    models.get_by_role("button", name="Import an adapter").click()
    dialog = models.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    dialog.locator("input[type=file]").set_input_files(zipped(folder))
    expect(dialog).to_contain_text("mine.zip")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_have_count(0)
    line = models.locator("[data-pair=en-fr][data-task=translation] .ctx-model-line")
    expect(line.locator("h3")).to_have_text("<b>French</b>")
    expect(line).to_have_class("ctx-model-line ctx-pointed")
    for text in ("Readers have this", "mine.zip", "CC BY 4.0", "chrF++", "48.4", "when loaded"):
        expect(line).to_contain_text(text)

    line.get_by_role("button", name="Load").click()
    expect(line.get_by_role("button", name="Unload")).to_be_focused()
    expect(models.locator(".ctx-memory")).to_contain_text("536.0 MB; adapters: 1")
    expect(line).to_contain_text("not since the app started")
    line.get_by_role("button", name="Unload").click()
    expect(models.locator(".ctx-toast")).to_contain_text("The next question loads it again")
    expect(models.locator(".ctx-memory")).to_contain_text("nothing is in memory")

    with page.expect_download() as saved:
        line.get_by_role("button", name="Export").click()
    assert saved.value.suggested_filename.startswith("en-fr-translation-")
    saved.value.save_as(tmp_path / "out.zip")
    assert len(zipfile.ZipFile(tmp_path / "out.zip").namelist()) == 3

    line.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Readers have it for English → French now")
    dialog.get_by_role("button", name="Keep it").click()
    expect(line).to_have_count(1)
    line.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(line).to_have_count(0)


@pytest.mark.parametrize(
    "locale, load, unload, why",
    [("en", "Load", "Unload", "It is part of the model"), ("zh-CN", "加载", "卸载", "它已并入")],
)
def test_adapters_of_words_are_loaded_where_they_stand_alone(
    new_context, app: App, tmp_path: Path, locale: str, load: str, unload: str, why: str
):
    told = {"pair": "de-en", "task": "sense", "style": "last"}
    page = new_context(**PHONE, locale=locale).new_page()
    models = open_models(page, app)
    models.locator("[data-do=bring]").click()
    dialog = models.get_by_role("dialog")
    folder = make_adapter(tmp_path / "words", SHAPE, **told)
    dialog.locator("input[type=file]").set_input_files(zipped(folder))
    dialog.locator("button.ctx-primary").click()
    line = models.locator("[data-pair=de-en][data-task=sense] .ctx-model-line")
    line.get_by_role("button", name=load).click()
    expect(line.get_by_role("button", name=unload)).to_be_focused()
    expect(models.locator(".ctx-memory")).to_contain_text("536.0 MB")
    line.get_by_role("button", name=unload).click()
    expect(line.get_by_role("button", name=load)).to_be_focused()
    merged = models.locator("[data-model=shipped]")
    expect(merged).to_contain_text(why)
    expect(merged.locator("[data-do=load], [data-do=unload]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_refused_says_why_in_the_readers_language(new_context, app: App, folder: Path):
    (folder / "adapter_model.bin").write_bytes(pickle.dumps([1]))
    page = new_context(**PHONE, color_scheme="dark", locale="zh-CN").new_page()
    models = open_models(page, app)
    models.get_by_role("button", name="导入适配器").click()
    dialog = models.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(zipped(folder))
    dialog.get_by_role("button", name="导入", exact=True).click()
    alert = dialog.get_by_role("alert")
    expect(alert).to_contain_text("只接受 safetensors")
    expect(alert).to_contain_text("adapter_model.bin")
    (folder / "adapter_model.bin").unlink()
    (folder / "card.json").unlink()
    dialog.locator("input[type=file]").set_input_files(zipped(folder))
    dialog.get_by_role("button", name="导入", exact=True).click()
    expect(alert).to_contain_text("没有卡片")
    dialog.get_by_label("源语言和目标语言的代码").fill("en-it")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dialog.get_by_role("button", name="导入", exact=True).click()
    expect(models.locator("[data-pair=en-it] h2")).to_have_text("英语 → 意大利语 · 整句")
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("locale, title", [("en", "Import an adapter"), ("zh-CN", "导入适配器")])
def test_a_translator_is_taken_in_and_a_spoilt_one_is_not(
    new_context, app: App, tmp_path: Path, locale: str, title: str
):
    folder = tiny_translator(tmp_path / "made", pair="en-de").folder
    page = new_context(**PHONE, locale=locale).new_page()
    models = open_models(page, app)
    models.get_by_role("button", name=title).click()
    dialog = models.get_by_role("dialog")
    config = (folder / "config.json").read_text()
    for text in (config.replace("false", "true", 1), config):
        (folder / "config.json").write_text(text)
        dialog.locator("input[type=file]").set_input_files(zipped(folder))
        dialog.locator("button.ctx-primary").click()
        if text != config:
            told = "no plain translator" if locale == "en" else "不是普通的翻译模型"
            expect(dialog.get_by_role("alert")).to_contain_text(told)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
    line = models.locator("[data-pair=en-de][data-task=translation] .ctx-model-line")
    expect(line.locator("h3")).to_have_text("tiny-0")
    expect(line).to_contain_text("made.zip")


def test_all_of_it_by_keyboard(page: Page, app: App, folder: Path):
    models = open_models(page, app)
    press = page.keyboard.press
    tab_to(page, models.get_by_role("button", name="Import an adapter"))
    press("Enter")
    dialog = models.get_by_role("dialog")
    tab_to(page, dialog.get_by_label("Or where it is"))
    page.keyboard.type(str(folder))
    press("Enter")
    line = models.locator("[data-pair=en-fr] .ctx-model-line")
    expect(line.locator("h3 a")).to_be_focused()
    tab_to(page, line.get_by_role("button", name="Load"))
    press("Space")
    expect(line.get_by_role("button", name="Unload")).to_be_focused()
    tab_to(page, line.get_by_role("button", name="Delete"))
    press("Enter")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    press("Escape")
    expect(line.get_by_role("button", name="Delete")).to_be_focused()
    press("Enter")
    press("Shift+Tab")
    press("Enter")
    expect(line).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('#models-list') !== null")


def test_a_hosted_app_lists_and_does_nothing(start_app: Callable[..., App], page: Page):
    models = open_models(page, start_app("--hosted"))
    expect(models.locator("[data-model=shipped] h3")).to_have_text("en-zh-sense")
    expect(models.locator("button:visible")).to_have_count(0)

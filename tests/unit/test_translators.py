"""Translators that need no base, beside adapters: listed by name, evaluated, promoted and taken
back, and what readers get of them."""

import asyncio
import json
import zipfile

import pytest

from db.store import open_store
from engine.adapters import linear_sizes
from engine.alone import load_translator
from engine.catalogue import delete_adapter, export_adapter, find_adapter, readers_adapter
from engine.checking import AdapterError, BaseShape
from engine.models import Base
from engine.sense import QueryError
from engine.settings import Settings
from engine.translation import TaggedPrompt, translate_all, write
from engine.translations import Translations
from engine.translator import read_translator
from tests.fake_engine import FakeLookup
from tests.tiny_scratch import tiny_translator
from tests.unit.test_disk_desk import Page, zipped
from tests.unit.test_translations import MOST, Loads, add, alone, ending_base, read
from trainer.catalogue import find_model, list_models
from trainer.evaluation.translators import find_translators
from trainer.jobs.queue import Jobs
from trainer.promote import back, present, promote
from ui.access import Access
from ui.compare.evaluations import Evaluations
from ui.compare.split import SplitDesk
from ui.services import Services
from ui.strings import STRINGS

ASKED = {"pair": "de-en", "task": "translation"}
SENTENCES = [f"Ein Mann fährt {n} durch die Stadt." for n in range(3)]


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path / "home", base="somewhere/tiny", dtype="float32")


@pytest.fixture
def store(settings):
    settings.home.mkdir(parents=True)
    with open_store(settings.database) as opened:
        yield opened


def install(settings: Settings, seed: int = 0, **changes: int) -> str:
    """A translator in the home; its model's name."""
    place = settings.home / "adapters" / "de-en-translation"
    made = tiny_translator(place / f"seed-{seed}", seed, **changes)
    made.folder.rename(place / made.version)
    return f"kept:{made.version}"


def wanted(base: Base, sentence: str, most: int = MOST) -> list[str]:
    """What it writes alone, as it grows."""
    return list(write(base.model, TaggedPrompt(base.tokenizer), sentence, "de-en", most))


def test_it_is_promoted_like_an_adapter_and_taken_back(settings, store):
    name, other = install(settings), install(settings, 1)
    assert {name, other} <= {model.name for model in list_models(store, settings)}
    model = find_model(name, store, settings)
    assert (model.title, model.pair, model.task) == ("tiny-0", "de-en", "translation")
    assert readers_adapter(settings, **ASKED) is None, "readers get it when it is promoted"
    promote(name, store, settings, reason="a trial")
    promote(other, store, settings, reason="another")
    assert present(settings, **ASKED).title == "tiny-1"
    back(store, settings, **ASKED)
    assert readers_adapter(settings, **ASKED).name == "tiny-0"
    with pytest.raises(AdapterError, match="readers have"):
        delete_adapter(settings, find_adapter(settings, "tiny-0"))
    delete_adapter(settings, find_adapter(settings, "tiny-1"))
    assert other not in {one.name for one in list_models(store, settings)}


def test_readers_get_its_translations_with_no_base_beside_adapters_over_one(settings, store):
    promote(install(settings), store, settings, reason="a trial")
    mine = load_translator(find_adapter(settings, "tiny-0").adapter, settings)
    shape = BaseShape("tiny", "1", linear_sizes(ending_base().model))
    add(settings.home, shape, "en-es", 37, imported=True)
    loads = Loads()
    service = Translations(settings, None, loads, most=MOST)

    async def both():
        asked = [read(service, "de-en", text) for text in SENTENCES]
        return await asyncio.gather(*asked, read(service, "en-es"))

    try:
        grown = asyncio.run(read(service, "de-en", SENTENCES[0]))
        assert grown == wanted(mine, SENTENCES[0]) and len(grown) > 2
        assert loads.count == 0 and service.base_bytes() == 0
        *said, other = asyncio.run(both())
        assert [one[-1:] for one in said] == [wanted(mine, text)[-1:] for text in SENTENCES]
        assert other == alone(settings, "en-es") and loads.count == 1
        version = readers_adapter(settings, "de-en", "translation").version
        told = {one.version: one for one in service.loaded()}
        assert told[version].pair == "de-en" and told[version].uses > 0
        assert service.unload(version) and version not in {o.version for o in service.loaded()}
    finally:
        service.close()


def test_it_is_evaluated_by_its_name_with_no_base(settings, store):
    name = install(settings)
    (found,) = find_translators([name], "de-en", "", None, store, settings)
    base = load_translator(find_adapter(settings, "tiny-0").adapter, settings)
    room = TaggedPrompt(base.tokenizer).room(SENTENCES[0])
    for text, sentence in zip(found.translate(SENTENCES), SENTENCES, strict=True):
        whole = wanted(base, sentence, room)[-1]
        assert text.text.startswith(whole) or whole.startswith(text.text)
        assert 0 < text.tokens <= room and text.ms > 0
    found.close()


def test_a_sentence_that_it_has_no_room_for_is_refused(settings, store):
    """Of 64 positions; most of its tokens are letters."""
    promote(install(settings, positions=64), store, settings, reason="a trial")
    base = load_translator(find_adapter(settings, "tiny-0").adapter, settings)
    prompt, long = TaggedPrompt(base.tokenizer), "x" * 40
    asked = prompt.parts(SENTENCES[0], "de-en")
    assert 2 * len(asked) <= 64 < prompt.room(SENTENCES[0])
    short, refused = translate_all(base.model, prompt, [SENTENCES[0], long], "de-en")
    assert short.tokens + short.over == 64 - len(asked) and not short.stopped
    assert (refused.text, refused.tokens, refused.ended) == ("", 0, False)
    service = Translations(settings, None, Loads())

    async def both():
        asked = [read(service, "de-en", text) for text in (SENTENCES[0], long)]
        return await asyncio.gather(*asked, return_exceptions=True)

    try:
        grown, error = asyncio.run(both())
        assert grown == [*write(base.model, prompt, SENTENCES[0], "de-en")]
        assert isinstance(error, QueryError) and error.code == "no_room"
        assert all("error_no_room" in strings for strings in STRINGS.values())
    finally:
        service.close()


def test_it_is_written_out_whole(settings, tmp_path):
    install(settings)
    export_adapter(find_adapter(settings, "tiny-0"), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    assert read_translator(folder).version == find_adapter(settings, "tiny-0").version
    assert json.loads((folder / "card.json").read_text())["style"] == "tagged"


def test_it_is_brought_in_by_the_models_tab_with_no_base_at_all(settings, store, tmp_path):
    made = tiny_translator(tmp_path / "made", pair="en-de")
    page = Page(store, settings.home)
    del page.desk._shape  # whoever asks for the base's shape fails
    file = zipped(made.folder, page.sent)
    brought = page.ask("bring", path=str(file), called="by mail.zip")["brought"]
    assert (brought["title"], brought["pair"]) == ("tiny-0", "en-de") and not file.exists()
    (line,) = page.group("en-de")["models"]
    assert (line["name"], line["from"], line["fits"]) == (brought["name"], "by mail.zip", True)
    assert page.group("en-de")["present"]["name"] == brought["name"]
    (made.folder / "modeling.py").write_text("1")
    reply = page.ask("bring", path=str(zipped(made.folder, page.sent)))
    assert reply["error"] == "adapter_code" and "modeling.py" in reply["detail"]
    assert page.adapters() == [line["version"]]


def test_it_stands_in_the_models_tab_and_in_compare(settings, store):
    name = install(settings)
    page = Page(store, settings.home)
    (line,) = [one for one in page.group("de-en")["models"] if one["name"] == name]
    assert (line["title"], line["fits"], line["loaded"]) == ("tiny-0", True, 0)
    assert line["needs"] > line["bytes"] // 2 and line["scores"] == []
    assert page.ask("load", name=name) == {"error": "adapter_not_readers"}
    assert page.ask("promote", name=name, reason="a trial")["promoted"]
    assert page.ask("load", name=name) == {"loaded": name}
    (line,) = [one for one in page.group("de-en")["models"] if one["name"] == name]
    assert (line["memory"], line["loaded"]) == ("loaded", line["needs"])
    assert page.ask("back", pair="de-en", task="translation")["promoted"]
    jobs = Jobs(store, settings.home)
    services = Services(page.settings, FakeLookup(), store, Access(False), jobs)  # type: ignore[arg-type]
    choices = asyncio.run(SplitDesk(services, Evaluations(jobs)).served()["choices"]({}))
    assert name in {one["name"] for one in choices["models"]} and "de-en" in choices["pairs"]
    assert page.ask("delete", name=name) == {"deleted": name}
    assert name not in {one["name"] for one in page.group("de-en")["models"]}

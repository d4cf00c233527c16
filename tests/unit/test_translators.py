"""Translators that need no base, beside adapters: listed by name, evaluated, promoted and taken
back, and what readers get of them."""

import asyncio
import json
import zipfile

import pytest

from db.store import Brought, Origin, open_store
from engine.catalogue import delete_adapter, export_adapter, find_adapter, readers_adapter
from engine.checking import AdapterError
from engine.settings import Settings
from engine.translation import TaggedPrompt
from engine.translations import Translations
from engine.translator import read_translator
from tests.tiny_scratch import tiny_codec, tiny_scratch, tiny_translator
from tests.unit.test_translations import MOST, Loads, add, alone, ending_base, read
from trainer.catalogue import find_model, list_models
from trainer.evaluation.translators import find_translators
from trainer.promote import back, present, promote
from trainer.scratch.decode import greedy

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


def install(settings: Settings, seed: int = 0) -> str:
    """A translator in the home; its model's name."""
    place = settings.home / "adapters" / "de-en-translation"
    made = tiny_translator(place / f"seed-{seed}", seed)
    made.folder.rename(place / made.version)
    return f"kept:{made.version}"


def wanted(sentence: str, seed: int = 0, most: int = MOST) -> str:
    codec = tiny_codec()
    (ids,) = codec.encode([sentence])
    (text,) = greedy(tiny_scratch(seed), [codec.question(ids, "de", "en")], codec.end, most)
    return codec.decode(text.tokens)


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
    base = ending_base()
    from engine.adapters import linear_sizes
    from engine.checking import BaseShape

    shape = BaseShape("tiny", "1", linear_sizes(base.model))
    add(settings.home, shape, "en-es", 37, imported=True)
    loads = Loads()
    service = Translations(settings, None, loads, most=MOST)

    async def both():
        mine = [read(service, "de-en", text) for text in SENTENCES]
        return await asyncio.gather(*mine, read(service, "en-es"))

    try:
        assert asyncio.run(read(service, "de-en", SENTENCES[0]))[-1] == wanted(SENTENCES[0])
        assert loads.count == 0 and service.base_bytes() == 0
        *mine, other = asyncio.run(both())
        assert [grown[-1] for grown in mine] == [wanted(text) for text in SENTENCES]
        assert other == alone(settings, "en-es") and loads.count == 1
        version = service.made_by("de-en")[1]
        told = {one.version: one for one in service.loaded()}
        assert told[version].pair == "de-en" and told[version].uses > 0
        assert service.unload(version) and version not in {o.version for o in service.loaded()}
    finally:
        service.close()


def test_it_is_evaluated_beside_what_teachers_said(settings, store):
    name = install(settings)
    origin = Origin("pairs.tsv", "flat", "de-en")
    rows = [Brought(n, 0, t, context=t, translation="A man.") for n, t in enumerate(SENTENCES)]
    store.imports.add(store.imports.begin(origin), origin, rows)
    found = find_translators([name], "de-en", "", None, store, settings)
    texts = found[0].translate(SENTENCES)
    room = TaggedPrompt(found[0]._loaded.tokenizer).room(SENTENCES[0])
    assert texts[0].text.startswith(wanted(SENTENCES[0], most=MOST))
    assert texts[0].tokens <= room and texts[0].ms > 0
    found[0].close()


def test_it_is_written_out_whole(settings, tmp_path):
    install(settings)
    export_adapter(find_adapter(settings, "tiny-0"), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    assert read_translator(folder).version == find_adapter(settings, "tiny-0").version
    assert json.loads((folder / "card.json").read_text())["style"] == "tagged"

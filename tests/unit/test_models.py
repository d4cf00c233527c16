"""A base that cannot be had says what to do; what is chosen automatically says why."""

import json

import psutil
import pytest
import torch

from engine import models
from engine.models import BaseError, choose, embedded_folder, load_base
from engine.settings import Settings
from tests.tiny import tiny_model, tiny_tokenizer


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home")


def refusal(settings):
    with pytest.raises(BaseError) as caught:
        load_base(settings)
    return caught.value.code, str(caught.value)


def with_base(settings, base):
    return Settings(home=settings.home, base=str(base), device="cpu", dtype="float32")


def test_missing_wheels_name_the_other_way(home, monkeypatch):
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    code, text = refusal(home)
    assert code == "wheels_missing" and "google/gemma-3-270m" in text and "pip install" in text


def test_too_little_memory_is_said_before_the_conversion(home, monkeypatch):
    class Small:
        available = 100_000_000

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Small)
    code, text = refusal(home)
    assert code == "memory" and "0.1 GB" in text


def test_an_unreachable_hub_is_said(home, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    code, text = refusal(with_base(home, "nobody/nothing-at-all"))
    assert code == "hub_unreachable" and "nobody/nothing-at-all" in text


def test_folders_that_are_no_models(home, tmp_path):
    assert refusal(with_base(home, tmp_path / "none"))[0] == "no_folder"
    (tmp_path / "empty").mkdir()
    assert refusal(with_base(home, tmp_path / "empty"))[0] == "not_a_model"


def test_an_unknown_architecture_is_said(home, tmp_path):
    folder = tmp_path / "model"
    tiny_model(100).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "never-heard-of", "architectures": ["NeverHeardOf"]}
    (folder / "config.json").write_text(json.dumps(config))
    code, text = refusal(with_base(home, folder))
    assert code == "unknown_architecture" and "CTX_BASE" in text


def test_a_local_folder_is_loaded_and_has_a_revision(home, tmp_path):
    folder = tmp_path / "model"
    tokenizer = tiny_tokenizer()
    tiny_model(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    base = load_base(with_base(home, folder))
    assert base.name == "model" and len(base.revision) == 12
    assert next(base.model.parameters()).dtype == torch.float32


def test_choices_come_with_their_reason(home, monkeypatch):
    monkeypatch.setattr(models, "_probe_device", lambda: ("cpu", "no GPU found"))
    has: dict[str, object] = {"architecture": "x86_64", "avx512_f": True, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    without = choose(home)
    assert without.dtype == torch.float32 and "no units for bfloat16" in without.reason
    has["avx512_bf16"] = True
    assert choose(home).dtype == torch.bfloat16 and "(avx512_bf16)" in choose(home).reason
    assert choose(Settings(home=home.home, device="cpu", dtype="float32")).dtype_name == "float32"


def test_a_device_that_is_not_there_is_said(home):
    if torch.cuda.is_available():
        pytest.fail("this test needs a machine without cuda")
    assert refusal(Settings(home=home.home, device="cuda"))[0] == "no_device"


def test_half_made_folders_are_not_taken_for_models(home):
    models_folder = home.home / "models"
    folder = models_folder / f"{models.EMBEDDED}-{models.EMBEDDED_SHA256[:12]}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half")
    assert not models._is_whole(folder)
    (folder / "converted.json").write_text(json.dumps({"sizes": {"model.safetensors": 99}}))
    assert not models._is_whole(folder)


def test_a_failed_conversion_leaves_nothing_and_says_so(home, monkeypatch):
    monkeypatch.setattr(models.sys, "executable", "/bin/false")
    with pytest.raises(BaseError) as caught:
        embedded_folder(home.home)
    assert caught.value.code == "conversion_failed"
    assert [p.name for p in (home.home / "models").iterdir()] == ["converting.lock"]

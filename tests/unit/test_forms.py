"""Forms on disk: what is read back is what was made, and only what passed is served."""

import json
from dataclasses import replace

import pytest
import torch

from engine import engine as loading
from engine.branches import Runner, begin
from engine.forms import (
    TOLD,
    WEIGHTS,
    Form,
    FormError,
    find_form,
    form_folder,
    load_form,
    parse_form,
    read_told,
    save_form,
    shrink,
    write_told,
)
from engine.lean import lean
from engine.matrices import WAYS
from engine.settings import Settings, read_settings
from tests.tiny import tiny_gemma, tiny_model

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
NAMES = [f"{body}{rows}" for body in WAYS for rows in ("", "-rows8", "-rows4")]
BASE = "tiny@0"


def states(model) -> torch.Tensor:
    """Hidden states of three rows behind one prefix, and logits of some tokens."""

    def task():
        _, branches, hidden = yield from begin(range(3, 30), [[40], [41], [42]])
        again = yield from branches.feed([[7, 9], [8], [9]])
        return torch.cat([hidden, again])

    runner = Runner(model)
    with torch.inference_mode():
        hidden = runner.run(task())
        return torch.cat([hidden.float(), runner.scorer(range(50, 82))(hidden)], 1)


def scales(model) -> dict[str, float]:
    names = ("qkv", "out", "gate_up", "down")
    return {f"{n}.{name}": 0.05 for n in range(len(model.model.layers)) for name in names}


def make(folder, name: str, plain=(), model=None):
    model, form = model or tiny_gemma(), replace(parse_form(name), plain=plain)
    tensors = shrink(model, form, scales(model))
    return save_form(folder, model.config, form, tensors, BASE, "a1"), tensors


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_back_is_what_was_made(name, tmp_path):
    if reason := WAYS[parse_form(name).body].missing():
        pytest.skip(reason)
    told, tensors = make(tmp_path / "form", name)
    assert told == read_told(tmp_path / "form") and told.name == name
    again = states(load_form(tmp_path / "form"))
    assert torch.equal(again, states(load_form(tmp_path / "form")))
    assert torch.isfinite(again).all()
    if name == "bf16":
        assert torch.equal(again, states(lean(tiny_gemma())))
    else:
        assert not torch.equal(again, states(lean(tiny_gemma())))
    stored = sum(one.nbytes for one in tensors.values())
    assert stored <= (tmp_path / "form" / WEIGHTS).stat().st_size < stored + 20_000


def test_matrices_that_are_left_stay_as_they_are(tmp_path):
    every = tuple(scales(tiny_gemma()))
    make(tmp_path / "form", "int4-weight", every)
    assert read_told(tmp_path / "form").name == "int4-weight-mixed"
    assert torch.equal(states(load_form(tmp_path / "form")), states(lean(tiny_gemma())))


@pytest.mark.parametrize("name", ["int9", "int8-rows3", "", "int8-mixed-smooth", "-smooth"])
def test_no_form_has_such_a_name(name):
    with pytest.raises(FormError) as error:
        parse_form(name)
    assert error.value.code == "form_unknown"


def test_every_name_is_read():
    assert [parse_form(name).name for name in NAMES] == NAMES
    assert Form("int8", aware=True).name == "int8-aware"
    assert Form(**Form("nf4", "int8", ("0.qkv",)).told) == Form("nf4", "int8", ["0.qkv"])


def test_another_model_has_no_forms():
    with pytest.raises(FormError) as error:
        shrink(tiny_model(60), parse_form("int8"))
    assert error.value.code == "form_unfit"


def test_another_processor_has_none(tmp_path, monkeypatch):
    make(tmp_path / "form", "int8")
    monkeypatch.setattr("engine.forms.has_bfloat16", lambda: False)
    with pytest.raises(FormError) as error:
        load_form(tmp_path / "form")
    assert error.value.code == "form_unfit"


def test_what_a_platform_cannot_run_says_why(monkeypatch):
    monkeypatch.setattr("engine.matrices.find_spec", lambda name: None)
    with pytest.raises(FormError, match="bitsandbytes is not installed"):
        shrink(tiny_gemma(), parse_form("nf4"))


def settings(tmp_path, form: str = "int8") -> Settings:
    return Settings(home=tmp_path, form=form)


def made(tmp_path, gate=None, base: str = BASE):
    folder = form_folder(tmp_path, "a1", "int8")
    told, _ = make(folder, "int8")
    write_told(folder, replace(told, gate=gate or {}, base=base))
    return folder


def refused(tmp_path) -> tuple[str, str]:
    with pytest.raises(FormError) as error:
        find_form(settings(tmp_path), BASE, "a1")
    return error.value.code, str(error.value)


def test_only_what_passed_is_found(tmp_path):
    assert refused(tmp_path)[0] == "form_missing"
    made(tmp_path)
    assert refused(tmp_path)[0] == "form_refused"
    made(tmp_path, {"fit": False, "reason": "right keeps 0.5"})
    code, text = refused(tmp_path)
    assert code == "form_refused" and "right keeps 0.5" in text
    folder = made(tmp_path, {"fit": True, "reason": ""})
    assert find_form(settings(tmp_path), BASE, "a1") == folder
    with pytest.raises(FormError):
        find_form(settings(tmp_path), "tiny@1", "a1")
    with pytest.raises(FormError):
        find_form(settings(tmp_path), BASE, "a2")
    write_told(folder, replace(read_told(folder), version=0))
    assert refused(tmp_path)[0] == "form_missing"


def test_other_weights_than_those_that_passed_are_refused(tmp_path):
    folder = made(tmp_path, {"fit": True})
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    with pytest.raises(FormError) as error:
        load_form(folder)
    assert error.value.code == "form_changed"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": 3}'])
def test_a_folder_that_holds_no_form_says_so(tmp_path, text):
    (tmp_path / TOLD).write_text(text)
    with pytest.raises(FormError):
        read_told(tmp_path)


def test_a_form_name_cannot_leave_its_folder(tmp_path):
    (tmp_path / "forms").mkdir()
    (tmp_path / TOLD).write_text(json.dumps({"name": "x"}))
    with pytest.raises(FormError) as error:
        find_form(settings(tmp_path, "../.."), BASE, "a1")
    assert error.value.code == "form_unknown"


def test_the_setting_is_read():
    assert read_settings({"CTX_FORM": "int8-rows8"}).form == "int8-rows8"
    assert read_settings({}).form == "plain"


def test_what_did_not_pass_is_refused_and_what_was_never_made_leaves_the_model(
    tmp_path, monkeypatch
):
    """A promotion must not leave readers without answers."""
    monkeypatch.setattr(loading, "find_base", lambda *_: ("somewhere", "tiny", "0"))
    monkeypatch.setattr(loading, "load_base", lambda *_: "base")
    monkeypatch.setattr(loading, "replace", lambda engine, detail: (engine, detail))
    monkeypatch.setattr(type(settings(tmp_path)), "adapter_folder", None)

    class Engine:
        detail = "tiny"

    monkeypatch.setattr(loading, "make_engine", lambda base, folder: Engine())
    _, detail = loading.load_engine(settings(tmp_path))
    assert "has no such form yet" in detail
    folder = form_folder(tmp_path, "base", "int8")
    told, _ = make(folder, "int8")
    write_told(folder, replace(told, gate={"fit": False, "reason": "worse"}))
    with pytest.raises(FormError, match="worse"):
        loading.load_engine(settings(tmp_path))

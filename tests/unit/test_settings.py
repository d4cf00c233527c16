"""Settings come from the environment once; what does not fit is named."""

from pathlib import Path

import pytest

from engine.settings import Settings, SettingsError, assets, describe_settings, read_settings


def test_defaults_and_values():
    assert read_settings({}) == Settings()
    settings = read_settings({"CTX_HOME": "/x", "CTX_PORT": "80", "CTX_DATA": "~/d"})
    assert settings.home == Path("/x") and settings.port == 80
    assert settings.data == Path("~/d").expanduser()
    assert settings.database == Path("/x/ctx.db")


@pytest.mark.parametrize(
    "variable, text",
    [("CTX_PORT", "http"), ("CTX_PORT", "70000"), ("CTX_KEEP_DAYS", "-1"), ("CTX_DTYPE", "int3")],
)
def test_what_does_not_fit_is_named(variable, text):
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


def test_a_hosted_app_keeps_nothing_and_listens_to_all():
    settings = read_settings({"SPACE_ID": "someone/space"})
    assert settings.hosted and settings.keep_days == 0 and settings.host == "0.0.0.0"


def test_adapters_are_named():
    assert read_settings({"CTX_ADAPTER": "none"}).adapter_folder is None
    assert read_settings({"CTX_ADAPTER": "/a"}).adapter_folder == Path("/a")
    assert read_settings({}).adapter_folder == assets() / "adapters" / "en-zh-sense"


def test_the_readme_lists_every_variable():
    readme = (assets().parent / "README.md").read_text(encoding="utf-8")
    for line in describe_settings().splitlines():
        assert f"`{line.split(':')[0]}`" in readme

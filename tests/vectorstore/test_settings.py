"""Settings come from the variables of the environment that the documentation names, and from no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectorstore import load_settings
from vectorstore.settings import described


def test_a_variable_of_another_program_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "api_key", "MODEL", "PROXY", "ALLOW", "AUTH", "DATA", "NAMES", "BASE_URL"):
        monkeypatch.setenv(name, "strange")
    found = load_settings(None)
    assert (found.api_key, found.model, found.proxy, found.allowed_hosts, found.auth, found.base_url) == (
        "",
        "",
        "",
        (),
        "",
        "",
    )
    assert found.data == Path("data").absolute()


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "VIADOMA_AUTH", "VIADOMA_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://me:secret@proxy.example")
    assert "secret" not in repr(load_settings(None))


def test_switches_lists_and_folders_are_read_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIADOMA_RAW", " OFF ")
    monkeypatch.setenv("VIADOMA_NAMES", " ")
    monkeypatch.setenv("VIADOMA_UNSUPPORTED", "Show")
    monkeypatch.setenv("VIADOMA_ALLOW", " wiki.example.org , 10.1.0.0/16,")
    monkeypatch.setenv("VIADOMA_DATA", "elsewhere")
    found = load_settings(tmp_path)
    assert (found.keep_raw, found.link_names, found.unsupported_claims) == (False, True, "show")
    assert found.allowed_hosts == ("wiki.example.org", "10.1.0.0/16")
    assert found.data == tmp_path
    assert load_settings(None).data == Path("elsewhere").absolute()


def test_a_value_that_can_not_be_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIADOMA_NAMES", "perhaps")
    with pytest.raises(ValueError, match="VIADOMA_NAMES is “perhaps”"):
        load_settings(None)


def test_every_setting_is_described() -> None:
    assert len({variable for variable, _, _ in described()}) == 12
    assert all(what and default for _, what, default in described())

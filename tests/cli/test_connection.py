"""Which server a command talks to, and who gets to see the key."""

from pathlib import Path

import pytest

from haulier.cli.codes import UsageError
from haulier.cli.connection import Server, config_path, resolve


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HAULIER_URL", "HAULIER_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.toml"
    monkeypatch.setenv("HAULIER_CONFIG", str(path))
    return path


def test_without_a_word_it_is_this_machine() -> None:
    assert resolve("", "") == ("http://127.0.0.1:8080", "")


def test_an_option_wins_over_the_environment_and_that_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('url = "http://file"\nkey = "k-file"\n')
    from_file = resolve("", "")
    monkeypatch.setenv("HAULIER_URL", "http://env")
    monkeypatch.setenv("HAULIER_KEY", "k-env")
    from_environment = resolve("", "")
    from_options = resolve("http://option", "k-option")

    assert from_file == ("http://file", "k-file")
    assert from_environment == ("http://env", "k-env")
    assert from_options == ("http://option", "k-option")


def test_a_key_of_the_file_is_not_sent_to_another_server(config: Path) -> None:
    config.write_text('url = "http://mine"\nkey = "k-mine"\n')

    assert resolve("http://other", "") == ("http://other", "")
    assert resolve("http://mine/", "") == ("http://mine/", "k-mine")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("url = ", "not TOML"),
        ("port = 1", "knows only 'url' and 'key', got 'port'"),
        ("key = 5", "key must be a string, got 5"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(config: Path, text: str, fault: str) -> None:
    config.write_text(text)

    with pytest.raises(UsageError, match=fault) as caught:
        resolve("", "")

    assert str(config) in str(caught.value)


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="must begin with http"):
        Server(url="localhost:8080").connect()


def test_the_file_is_where_such_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HAULIER_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert config_path() == tmp_path / "haulier" / "config.toml"

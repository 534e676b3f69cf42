"""Where state lives: said in one key, whose password stays out of every message."""

import pytest
from pydantic import SecretStr, ValidationError

from runbook_bot.errors import SettingsError
from runbook_bot.state.config import StateSettings
from runbook_bot.state.connection import reach, redis_client


def settings(url: str | None) -> StateSettings:
    return StateSettings.model_validate({"redis_url": url})


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_url_there_is_no_redis(url: str | None) -> None:
    assert redis_client(settings(url)) is None


@pytest.mark.parametrize(
    "url", ["redis://localhost:6379/0", "rediss://:secret@redis.example:6380", "unix:///run/redis"]
)
def test_urls_of_redis(url: str) -> None:
    assert settings(url).redis_url == SecretStr(url)


def test_another_kind_of_url_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValidationError, match="must begin with one of redis://") as caught:
        settings("http://:hunter2@localhost")
    assert "hunter2" not in str(caught.value.errors(include_input=False))


@pytest.mark.parametrize(
    "url",
    ["redis://:pa/hunter2@localhost", "redis://:pa#hunter2@localhost", "redis://:hunter2@localhost:6379:1",
     "redis://[::1", "redis://localhost/first", "redis://localhost:0"],
)  # fmt: skip
def test_an_address_that_cannot_be_read_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="is no address of a Redis") as caught:
        settings(url)
    assert "hunter2" not in str(caught.value.errors(include_input=False))
    assert "pa/" not in str(caught.value.errors(include_input=False))


def test_an_option_that_redis_does_not_know_is_one_clear_line() -> None:
    with pytest.raises(SettingsError, match=r"state.redis_url: .* \?db=0, are not understood"):
        redis_client(settings("redis://localhost?db=first"))


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="redis"):
        StateSettings.model_validate({"redis": "redis://localhost"})


async def test_a_redis_that_does_not_answer_is_named_without_its_password() -> None:
    client = redis_client(settings("redis://:hunter2@127.0.0.1:1/0"))
    assert client is not None
    with pytest.raises(SettingsError, match=r"state\.redis_url: no Redis that can be used at 127\.0\.0\.1:1") as caught:
        await reach(client)
    await client.aclose()
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(settings("redis://:hunter2@127.0.0.1:1/0"))

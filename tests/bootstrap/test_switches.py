"""What is switched on, by the configuration or by what is found in the environment."""

from pathlib import Path

import pytest

from runbook_bot import bootstrap
from runbook_bot.errors import ScenarioError, SettingsError
from runbook_bot.settings import Settings


def settings(home: Path, configuration: str = "", **environ: str) -> Settings:
    if configuration:
        home.joinpath("config.yaml").write_text(configuration, "utf-8")
    return Settings.load(home, environ)


@pytest.mark.parametrize("name", bootstrap.CREDENTIALS)
def test_aws_is_asked_when_anything_says_that_it_is_meant(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bootstrap.providers(settings(tmp_path)) == ()
    assert bootstrap.actuators(settings(tmp_path)) == ()

    monkeypatch.setenv(name, "http://127.0.0.1:1" if name.endswith(("URL", "URI")) else "here")

    assert bootstrap.aws_wanted(settings(tmp_path))


def test_a_file_of_credentials_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "credentials"
    shared.write_text("[default]\n", "utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))

    assert bootstrap.aws_wanted(settings(tmp_path))


def test_the_configuration_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "here")
    off = settings(tmp_path, "providers: {aws: {enabled: false}}")
    assert bootstrap.providers(off) == ()
    assert bootstrap.actuators(off) == ()

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    on = settings(tmp_path, "providers: {aws: {enabled: true, regions: [eu-west-1]}}")
    assert [each.name for each in bootstrap.providers(on)] == ["aws"]
    assert "ecs.update_service" in bootstrap.actuators(on)[0].operations


async def test_a_desk_without_workers_needs_a_queue_that_others_reach(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--no-worker needs REDIS_URL"):
        await bootstrap.serve(settings(tmp_path), worker=False)


async def test_a_worker_alone_needs_a_queue(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`worker` needs REDIS_URL"):
        await bootstrap.work(settings(tmp_path))


async def test_a_desk_names_each_token_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
        await bootstrap.serve(settings(tmp_path), worker=True)
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):
        await bootstrap.serve(settings(tmp_path, SLACK_BOT_TOKEN="xoxb-1"), worker=True)


async def test_a_demo_of_an_unknown_scenario_says_which_there_are_and_opens_nothing() -> None:
    said: list[str] = []
    with pytest.raises(ScenarioError, match="bad-deployment"):
        await bootstrap.demo("no-such-thing", port=0, headless=True, say=said.append)
    assert said == []

"""Scenario files: the shipped ones load fast and fit together, a wrong one is refused with its place."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.errors import PlaygroundError, ScenarioError
from runbook_bot.playground.cloud import Cloud, Scenario, names
from runbook_bot.playground.cloud.scenario import FOLDER

SIX = {
    "bad-deployment": FailureMode.bad_deployment,
    "connection-exhaustion": FailureMode.connection_exhaustion,
    "downstream-two-hops": FailureMode.configuration_change,
    "false-alarm": FailureMode.none,
    "lambda-throttling": FailureMode.concurrency_limit,
    "memory-leak": FailureMode.memory_exhaustion,
}


def test_the_names_come_without_loading_anything_heavy() -> None:
    code = (
        "import sys; from runbook_bot.playground.cloud import names; print(*names());"
        "print([m for m in ('boto3', 'botocore', 'moto', 'aiohttp', 'numpy') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(told[0].split()) >= set(SIX)
    assert told[1] == "[]"


@pytest.mark.parametrize(("name", "mode"), SIX.items())
def test_a_shipped_scenario_says_what_is_to_be_found(name: str, mode: FailureMode) -> None:
    scenario = Scenario.load(name)
    assert scenario.expected.failure_mode == mode
    assert 4 <= len(scenario.services) <= 7
    assert (scenario.fault is None) == (mode == FailureMode.none)
    graph = ServiceGraph.model_validate(yaml.safe_load(scenario.services_yaml()))
    assert {service.name for service in graph} == {service.name for service in scenario.services}
    listed = {f"{resource.type}:{resource.name}" for service in graph for resource in service.resources}
    assert scenario.expected.resource is None or scenario.expected.resource in listed
    assert any(service.dependencies(each.name) for service in [graph] for each in graph)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (FOLDER / "bad-deployment.yaml").read_text()
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("seed: 4127", "seed: [4127", "mine.yaml, line"),
        ("peak_hour: 19", "peak_hours: 19", "mine.yaml: peak_hours: Extra inputs are not permitted"),
        ("onset: -20m", "onset: soon", "fault.onset: 'soon' is not a duration; write one like -20m"),
        ("kind: deploy, at: -27d", "kind: deplore, at: -27d", "changes.0"),
        ("of: target_group:checkout-api", "of: target_group:checkout-ap", "did you mean target_group:checkout-api?"),
        ("metric: CPUUtilization, threshold: 85", "metric: Cpu, threshold: 85", "alarms.3.metric: rds_instance:orders"),
        ("alarm: checkout-api-5xx", "alarm: none-such", "expected.alarm names none-such"),
        ("failure_mode: bad_deployment", "failure_mode: gremlins", "expected.failure_mode"),
        ("metric: CPUUtilization, times: 1.22", "metric: CPUUtilization", "exactly one of times, add and to"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        Scenario.load(changed(tmp_path, old, new))
    assert place in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_and_an_unreadable_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean bad-deployment"):
        Scenario.load("bad-deploymen")
    with pytest.raises(ScenarioError, match="cannot be read"):
        Scenario.load(tmp_path / "absent.yaml")
    listed = tmp_path / "list.yaml"
    listed.write_text("- a\n- b\n")
    with pytest.raises(ScenarioError, match="a scenario is a mapping"):
        Scenario.load(listed)


async def test_a_port_in_use_is_one_clear_line() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cloud = Cloud()
        with pytest.raises(PlaygroundError, match=f"port {port} cannot be used"):
            await cloud.start(Scenario.load("false-alarm"), port=port)
        with pytest.raises(PlaygroundError, match="does not run"):
            cloud.state()


def test_there_are_no_names_but_those_of_files() -> None:
    assert names() == sorted(names())
    assert all((FOLDER / f"{name}.yaml").is_file() for name in names())

"""The whole engine on public frozen incidents: how many root causes it names, and how often it is wrong and sure.

These incidents were looked at while the rules were made; the sets' other incidents, which were not, are elsewhere.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_bot import bootstrap
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.providers.snapshot.reading import read_snapshot
from runbook_bot.settings import Settings

DATA = Path(__file__).parents[3] / "shared" / "data"
BENCH, SYNTHETIC = DATA / "rootcausebench", DATA / "opensre_synthetic"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="no ../shared/data/rootcausebench beside this repository")

F = FailureMode
MEANT = {
    "healthy": {F.none},
    "replication_lag": {F.replication_lag},
    "connection_exhaustion": {F.connection_exhaustion},
    "storage_full": {F.disk_exhaustion},
    "cpu_saturation": {F.cpu_saturation, F.slow_queries},
    "failover": {F.database_failover},
    "oom_killed": {F.memory_exhaustion},
    "image_pull_backoff": {F.image_pull_failure},
    "pending_pod": {F.capacity_shortage},
    "probe_failure": {F.health_check_failure},
}
"""What OpenSRE calls a failure, in our vocabulary."""
SURE = 0.7
LEAST_RIGHT = 13
"""Of fifteen; the two others are healthy systems of which too little is measured to say so."""


@dataclass(frozen=True)
class Told:
    """One incident and what was said of it."""

    name: str
    right: bool
    named: str
    confidence: float


def incidents() -> Iterator[Path]:
    yield from sorted(BENCH.iterdir())
    yield from sorted(each for each in SYNTHETIC.glob("*/*") if (each / "answer.yml").is_file())


def investigated(folder: Path, home: Path) -> Investigation:
    snapshot = read_snapshot(folder)
    request = Request(text=snapshot.text, service=snapshot.service, at=snapshot.at)
    settings = Settings.load(home, {})
    return asyncio.run(bootstrap.investigate(settings, request, snapshot=snapshot))


def judged(folder: Path, case: Investigation) -> Told:
    cause = case.verdict.root_cause if case.verdict else None
    if cause is None:
        return Told(folder.name, False, "inconclusive", 0.0)
    return Told(folder.name, is_right(folder, case), f"{cause.failure_mode} {cause.service}", cause.confidence)


def is_right(folder: Path, case: Investigation) -> bool:
    """Services with commits: the service that failed first, and the very commit; else the failure mode."""
    assert case.verdict is not None
    cause = case.verdict.root_cause
    assert cause is not None
    if (folder / "scenario.yml").is_file():
        return cause.failure_mode in MEANT[yaml.safe_load((folder / "scenario.yml").read_text("utf-8"))["failure_mode"]]
    truth = json.loads((folder / "ground_truth.json").read_text("utf-8"))
    commit = truth["root_cause_commit"]
    if cause.service != truth["first_failing_service"]:
        return False
    if commit == "none":
        return cause.failure_mode in {F.traffic_surge, F.capacity_shortage, F.none}
    return cause.failure_mode in {F.bad_deployment, F.configuration_change} and any(
        commit[:12] in case.evidence[each].summary for each in cause.evidence
    )


def test_frozen_incidents(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    def all_of_them() -> list[Told]:
        return [judged(each, investigated(each, tmp_path / each.name)) for each in incidents()]

    told: list[Told] = benchmark.pedantic(all_of_them, rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    for each in told:
        sys.stdout.write(f"{'right' if each.right else '-':6} {each.name:40} {each.named} {each.confidence:.2f}\n")
    sure = [each for each in told if not each.right and each.confidence >= SURE]
    sys.stdout.write(f"{sum(each.right for each in told)} of {len(told)} right, {len(sure)} wrong and sure\n")
    assert not sure
    assert sum(each.right for each in told) >= LEAST_RIGHT

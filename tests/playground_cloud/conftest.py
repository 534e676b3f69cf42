"""A running cloud for the tests of this room, on an event loop of its own, asked through boto3 as anybody would."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from runbook_bot.playground.cloud import Cloud, CloudState, Scenario


class RunningCloud:
    """A cloud in a thread; `client` gives boto3 clients that are closed with it."""

    def __init__(self, name: str) -> None:
        self.scenario = Scenario.load(name)
        self.cloud = Cloud()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._clients: dict[str, Any] = {}
        self._thread.start()
        began = time.monotonic()
        self._wait(self.cloud.start(self.scenario))
        self.took = time.monotonic() - began

    def client(self, service: str) -> Any:
        if service not in self._clients:
            where = self.cloud.environment()
            make: Any = boto3.client  # its stubs ask for the name as a literal
            self._clients[service] = make(
                service,
                endpoint_url=where["AWS_ENDPOINT_URL"],
                region_name=where["AWS_REGION"],
                aws_access_key_id=where["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=where["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def state(self) -> CloudState:
        async def ask() -> CloudState:
            return self.cloud.state()

        state: CloudState = self._wait(ask())
        return state

    def metric(self, of: str, name: str, *, back: timedelta, stat: str, period: int = 60) -> list[tuple[float, float]]:
        """Points of one metric, ascending, found by the alarm-free way: ListMetrics and GetMetricData."""
        cloudwatch = self.client("cloudwatch")
        found = [
            metric
            for metric in cloudwatch.list_metrics(MetricName=name)["Metrics"]
            if any(d["Value"] == of or d["Value"].startswith(f"targetgroup/{of}/") for d in metric["Dimensions"])
        ]
        now = datetime.now(UTC)
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "m1", "MetricStat": {"Metric": found[0], "Period": period, "Stat": stat}}],
            StartTime=now - back,
            EndTime=now,
            ScanBy="TimestampAscending",
        )["MetricDataResults"][0]
        return [(t.timestamp(), v) for t, v in zip(answer["Timestamps"], answer["Values"], strict=True)]

    def within(self, seconds: float, holds: Callable[[], bool]) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if holds():
                return True
            time.sleep(0.5)
        return False

    def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        self._wait(self.cloud.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _wait(self, doing: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(120)


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningCloud]:
    """The bad deployment, shared by the tests of a module that only look."""
    running = RunningCloud("bad-deployment")
    yield running
    running.stop()


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Callable[[str], RunningCloud]]:
    """Starts a scenario by name; stopped after the test."""
    started: list[RunningCloud] = []

    def start(name: str) -> RunningCloud:
        started.append(RunningCloud(name))
        return started[-1]

    yield start
    for each in started:
        each.stop()

"""A running cloud for the tests of this room, on an event loop of its own, asked through boto3 as anybody would."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from runbook_bot.playground.cloud import Cloud, CloudState, Scenario

PATIENCE = 240.0
"""Seconds, far beyond what anything here takes: a busy machine is no reason to fail."""


class RunningCloud:
    """A cloud in a thread; `client` gives boto3 clients that are closed with it."""

    def __init__(self, name: str) -> None:
        self.scenario = Scenario.load(name)
        self.cloud = Cloud()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._clients: dict[str, Any] = {}
        self._thread.start()
        self.began = datetime.now(UTC)
        self._wait(self.cloud.start(self.scenario))
        self.ready = datetime.now(UTC)
        """The scenario's times count from a moment between these two, which may be far apart on a busy machine."""
        where = self.cloud.environment()
        self._endpoint = where["AWS_ENDPOINT_URL"]
        self._session: Any = boto3.session.Session(  # of its own: the default one is not for several threads
            region_name=where["AWS_REGION"],
            aws_access_key_id=where["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=where["AWS_SECRET_ACCESS_KEY"],
        )

    def client(self, service: str) -> Any:
        if service not in self._clients:
            once = Config(retries={"total_max_attempts": 1})
            self._clients[service] = self._session.client(service, endpoint_url=self._endpoint, config=once)
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

    def comes(self, holds: Callable[[], bool]) -> bool:
        """Whether it holds sooner or later."""
        until = time.monotonic() + PATIENCE
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
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(PATIENCE)


@pytest.fixture(scope="package", autouse=True)
def _no_cloud_of_anybody() -> Iterator[None]:
    """Clouds live longer than a test, and their threads go on between two of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningCloud]:
    """The bad deployment, shared by the tests of a module that only look."""
    running = RunningCloud("bad-deployment")
    yield running
    running.stop()

"""One Prometheus for all tests of this folder."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.prometheus.config import PrometheusSettings
from runbook_bot.providers.prometheus.provider import PrometheusProvider
from tests.providers.prometheus.server import PrometheusServer


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    for binary in ("prometheus", "promtool"):
        if shutil.which(binary) is None:
            pytest.skip(f"{binary} is not installed (Debian: apt-get install prometheus)")
    started = PrometheusServer(tmp_path_factory.mktemp("prometheus"), float(int(time.time()) // 60 * 60))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def provider(server: PrometheusServer) -> PrometheusProvider:
    return PrometheusProvider(PrometheusSettings(url=server.url))


@pytest.fixture
def window(server: PrometheusServer) -> TimeWindow:
    end = datetime.fromtimestamp(server.now, UTC)
    return TimeWindow(start=end - timedelta(hours=3), end=end)

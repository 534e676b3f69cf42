"""A real Prometheus with a past: a shop on Kubernetes whose checkout runs out of memory after a new image."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

MINUTE = 60
LENGTH = 180 * MINUTE
"""Seconds of past."""
SINCE = 40 * MINUTE
"""Seconds ago at which the new image came; memory climbs from then on."""
OLD, NEW = "registry.example/checkout:1.4.0", "registry.example/checkout:1.5.0"
RULES = {
    "groups": [
        {
            "name": "checkout",
            "rules": [
                {
                    "alert": "CheckoutErrors",
                    "expr": 'sum by (service) (rate(shop_errors_total{service="checkout"}[5m])) * 60 > 12',
                    "labels": {"severity": "page"},
                    "annotations": {"summary": "checkout fails for customers"},
                },
                {"alert": "NobodyThere", "expr": "absent(up) > 5"},
            ],
        }
    ]
}

Sample = tuple[str, float, float]
"""Metric with labels, value, epoch seconds."""


def samples(now: float) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    """Family, type, samples: one each minute, in order of time within a series."""
    times = [now - LENGTH + n * MINUTE for n in range(LENGTH // MINUTE + 1)]
    began = now - SINCE
    old, new = 'pod="checkout-5f7d9c-x2x4z"', 'pod="checkout-6b8c4d-q9w2e"'
    of = 'namespace="shop",container="api"'

    def pod(at: float) -> str:
        return new if at >= began else old

    def late(at: float) -> float:
        return max(0.0, at - began) / SINCE

    yield (
        "container_memory_working_set_bytes",
        "gauge",
        [
            (f"container_memory_working_set_bytes{{{of},{pod(t)}}}", 4e8 + 5.6e8 * min(1.0, 2 * late(t)), t)
            for t in times
        ],
    )
    yield (
        "kube_pod_container_resource_limits",
        "gauge",
        [(f'kube_pod_container_resource_limits{{{of},{pod(t)},resource="memory"}}', 1e9, t) for t in times],
    )
    yield (
        "kube_pod_container_info",
        "gauge",
        [(f'kube_pod_container_info{{{of},{pod(t)},image="{NEW if t >= began else OLD}"}}', 1, t) for t in times],
    )
    yield (
        "kube_deployment_spec_replicas",
        "gauge",
        [
            ('kube_deployment_spec_replicas{namespace="shop",deployment="checkout"}', 2 if t < now - 7200 else 3, t)
            for t in times
        ],
    )
    yield (
        "kube_deployment_status_replicas_available",
        "gauge",
        [
            (
                'kube_deployment_status_replicas_available{namespace="shop",deployment="checkout"}',
                2 if t < now - 7200 else 3,
                t,
            )
            for t in times
        ],
    )
    restarts = [t for t in times if t >= began]
    yield (
        "kube_pod_container_status_restarts",
        "counter",
        [(f"kube_pod_container_status_restarts_total{{{of},{new}}}", int(8 * late(t)), t) for t in restarts],
    )
    yield (
        "kube_pod_container_status_last_terminated_reason",
        "gauge",
        [
            (f'kube_pod_container_status_last_terminated_reason{{{of},{new},reason="OOMKilled"}}', 1, t)
            for t in restarts
            if int(8 * late(t))
        ],
    )
    yield "shop_errors", "counter", list(_counted('shop_errors_total{service="checkout"}', times, began, 2, 60))
    yield (
        "shop_errors_elsewhere",
        "counter",
        list(_counted('shop_errors_elsewhere_total{service="search"}', times, now + 1, 2, 2)),
    )
    yield (
        "shop_depth",
        "gauge",
        [(f'shop_depth{{queue="{name}"}}', level, t) for name, level in (("a", 3), ("b", 9)) for t in times],
    )


def _counted(name: str, times: Sequence[float], began: float, before: float, after: float) -> Iterator[Sample]:
    total = 0.0
    for t in times:
        total += after if t >= began else before
        yield name, total, t


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrometheusServer:
    """Back-filled by `promtool`, served by `prometheus`, both Debian's."""

    def __init__(self, folder: Path, now: float) -> None:
        self._folder, self.now = folder, now
        self.url = f"http://127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        lines = []
        for family, kind, told in samples(self.now):
            lines.append(f"# TYPE {family} {kind}")
            lines += [f"{name} {value:g} {at:.0f}" for name, value, at in told]
        (self._folder / "past.txt").write_text("\n".join([*lines, "# EOF", ""]))
        data = self._folder / "data"
        make = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(self._folder / "past.txt"), str(data)]
        subprocess.run(make, check=True, capture_output=True)
        (self._folder / "rules.yml").write_text(yaml.safe_dump(RULES))
        (self._folder / "prometheus.yml").write_text(
            yaml.safe_dump({"global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yml"]})
        )
        with (self._folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(self._command(data), stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(600):
            if self._answers("/-/ready") and '"firing"' in self._answers("/api/v1/rules"):
                return
            time.sleep(0.1)
        raise AssertionError((self._folder / "log.txt").read_text()[-2000:])

    def _command(self, data: Path) -> list[str]:
        return [
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=30d",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]

    def _answers(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:  # noqa: S310  # loopback
                return str(answer.read().decode())
        except OSError:
            return ""

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

"""The same hypotheses, asked of Prometheus where there is nothing else: the program, a services.yaml and an address."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.providers.prometheus.server import PrometheusServer

SERVICES = """
services:
  - name: checkout
    owner: payments
    resources:
      - {type: kubernetes_workload, cluster: prod, namespace: shop, kind: Deployment, name: checkout}
      - {type: metric, promql: 'sum(rate(shop_errors_total{service="checkout"}[5m])) * 60'}
"""


def investigated(server: PrometheusServer, home: Path, text: str) -> dict[str, object]:
    (home / "services.yaml").write_text(SERVICES)
    environ = {**os.environ, "RUNBOOK_HOME": str(home), "PROMETHEUS_URL": server.url}
    line = [sys.executable, "-m", "runbook_bot", "investigate", text, "--json"]
    done = subprocess.run(line, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_a_rule_that_fires_is_traced_to_the_new_image(server: PrometheusServer, tmp_path: Path) -> None:
    told = investigated(server, tmp_path, "CheckoutErrors")
    cause = told["root_cause"]
    assert isinstance(cause, dict), told["ranked"]
    assert (cause["service"], cause["failure_mode"]) == ("checkout", "bad_deployment")
    evidence = told["evidence"]
    assert isinstance(evidence, list)
    sources = {each["source"] for each in evidence if each["status"] == "ok"}
    assert {"prometheus.metrics", "prometheus.changes", "prometheus.events"} <= sources

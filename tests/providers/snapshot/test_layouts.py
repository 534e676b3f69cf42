"""A frozen incident is read from each known layout, and what is wrong with a folder is said in one line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.errors import UsageError
from runbook_bot.providers.snapshot.reading import read_snapshot

AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def own(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "snapshot.yaml").write_text(
        "text: checkout is slow\nservice: checkout\nat: 2026-05-01T12:00:00Z\n"
        "services:\n  - name: checkout\n    depends_on: [db]\n"
        "    resources: [{type: ecs_service, cluster: prod, name: checkout}]\n"
        "alarms: [{name: slow, state: alarm, since: 2026-05-01T12:00:00Z}]\n",
        "utf-8",
    )
    key = "ecs_service:prod/checkout"
    (folder / "metrics.csv").write_text(
        f"time,resource,signal,value\n2026-05-01T11:59:00Z,{key},cpu,40\n2026-05-01T12:00:00Z,{key},cpu,90\n", "utf-8"
    )
    line = {"time": "2026-05-01T12:00:30Z", "resource": key, "text": "ERROR ✗"}
    (folder / "logs.ndjson").write_text(json.dumps(line) + "\n\n", "utf-8")
    change = {"at": "2026-05-01T11:58:00Z", "kind": "deployment", "summary": "2.0", "resource": key}
    (folder / "changes.json").write_text(json.dumps([change]), "utf-8")
    (folder / "facts.json").write_text(json.dumps({key: {"desired_count": 4}}), "utf-8")
    return folder


def bench(folder: Path) -> Path:
    """In the shape of RootCauseBench; the names are ours."""
    data = folder / "data"
    (data / "context").mkdir(parents=True)
    alert = {"service": "cart", "metric": "http_server_duration_p99_ms", "threshold": 800, "observed": 2000,
             "fired_at": "2026-05-01T12:00:00Z", "monitor": "cart-p99", "summary": "cart is slow"}  # fmt: skip
    (data / "alert.json").write_text(json.dumps(alert), "utf-8")
    (data / "metrics.csv").write_text(
        "timestamp,service,metric,value\n2026-05-01T11:59:00Z,cart,http_server_duration_p99_ms,200\n"
        "2026-05-01T11:59:00Z,cart,error_rate_5xx_ratio,0.5\n2026-05-01T11:59:00Z,cart,queries_per_request,3\n",
        "utf-8",
    )
    logs = [
        {"timestamp": "2026-05-01T11:59:30Z", "service": "cart", "severity_text": "ERROR", "msg": "stock timed out"},
        {"timestamp": "2026-05-01T11:59:31Z", "service": "stock", "severity_text": "INFO", "msg": "ok"},
    ]
    (data / "logs.ndjson").write_text("\n".join(json.dumps(line) for line in logs), "utf-8")
    spans = [
        {"trace_id": "t", "span_id": "a", "parent_id": None, "service": "web"},
        {"trace_id": "t", "span_id": "b", "parent_id": "a", "service": "cart"},
    ]
    (data / "traces.json").write_text(json.dumps(spans), "utf-8")
    deploys = [{"timestamp": "2026-05-01T11:50:00Z", "service": "cart", "commit_sha": "abc", "version": "v2"}]
    (data / "context" / "deploys.json").write_text(json.dumps(deploys), "utf-8")
    commits = [{"sha": "abc", "author": "kim", "message": "faster", "files_changed": ["cart.go"], "diff": None}]
    (data / "context" / "commits.json").write_text(json.dumps(commits), "utf-8")
    flags = [
        {"timestamp": "2026-05-01T11:55:00Z", "flag": "new", "service": "cart", "change": "off->on", "actor": "jo"}
    ]
    (data / "context" / "flags.json").write_text(json.dumps(flags), "utf-8")
    return folder


def test_our_own_layout(tmp_path: Path) -> None:
    found = read_snapshot(own(tmp_path / "one"))
    assert (found.text, found.service, found.at) == ("checkout is slow", "checkout", AT)
    assert [each.name for each in found.alarms] == ["slow"]
    assert found.series[0].values == (40.0, 90.0)
    assert found.lines["ecs_service:prod/checkout"][0].text == "ERROR ✗"
    assert found.changes[0].resource is not None
    assert found.facts["ecs_service:prod/checkout"] == {"desired_count": 4}
    assert found.now == datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC), "the last moment that anything is of"


def test_services_with_alert_metrics_logs_traces_and_deployments(tmp_path: Path) -> None:
    found = read_snapshot(bench(tmp_path / "two"))
    assert found.service == "cart"
    measured = {(each.name, each.signal): each.values[0] for each in found.series}
    assert measured["http_server_duration_p99_ms", Signal.latency_p99] == 0.2
    assert measured["error_rate_5xx_ratio", Signal.errors] == 50
    assert measured["queries_per_request", Signal.value] == 3
    web, cart = found.graph.service("web"), found.graph.service("cart")
    assert web is not None
    assert web.depends_on == ("cart",), "as the trace shows"
    assert cart is not None
    assert cart.depends_on == ("stock",), "as the complaint says"
    assert [(each.kind, each.actor, each.reference) for each in found.changes] == [
        ("deployment", "kim", "abc"),
        ("configuration", "jo", "new"),
    ]
    assert found.alarms[0].threshold == 0.8


def test_a_workload_with_pods_and_events(tmp_path: Path) -> None:
    """In the shape of OpenSRE's EKS scenarios."""
    base, mine = tmp_path / "base", tmp_path / "mine"
    base.mkdir()
    mine.mkdir()
    (mine / "scenario.yml").write_text("base: base\n", "utf-8")
    labels = {"cluster_name": "prod", "namespace": "pay", "workload_name": "api", "workload_type": "deployment"}
    (mine / "alert.json").write_text(json.dumps({"title": "pods restart", "commonLabels": labels}), "utf-8")
    first, last = "2026-05-01T11:00:00Z", "2026-05-01T12:00:00Z"
    event = {
        "reason": "Unhealthy",
        "message": "Liveness probe failed",
        "count": 3,
        "involved_object": "Pod/api-7f9dd8-abcde",
        "first_time": first,
        "last_time": last,
    }
    (mine / "eks_events.json").write_text(json.dumps({"warning_events": [event]}), "utf-8")
    pod = {"name": "api-7f9dd8-abcde", "start_time": "2026-05-01T10:59:00Z", "containers": [
        {"name": "api", "restart_count": 3, "state": {"reason": "CrashLoopBackOff", "exit_code": 137}}]}  # fmt: skip
    (base / "eks_pods.json").write_text(json.dumps({"pods": [pod]}), "utf-8")
    found = read_snapshot(mine)
    key = "kubernetes_workload:prod/pay/deployment/api"
    texts = [line.text for line in found.events[key]]
    assert any("Liveness probe failed" in text for text in texts)
    assert any("exit code 137" in text for text in texts), "from the base, which the scenario inherits"
    assert found.graph.service("api") is not None


def test_what_has_no_time_is_so_at_the_moment_of_the_snapshot(tmp_path: Path) -> None:
    """A pod that never started: that moment is the last one anything is of, and not the reader's."""
    (tmp_path / "scenario.yml").write_text("{}", "utf-8")
    (tmp_path / "alert.json").write_text(
        json.dumps({"title": "pods wait", "commonLabels": {"service": "api"}}), "utf-8"
    )
    pod = {"name": "api-7f9dd8-abcde", "conditions": [{"type": "Ready", "status": "False", "message": "no node fits"}]}
    (tmp_path / "eks_pods.json").write_text(json.dumps({"pods": [pod]}), "utf-8")
    log = {"timestamp": "2026-05-01T12:00:00Z", "service": "api", "message": "waiting"}
    (tmp_path / "datadog_logs.json").write_text(json.dumps({"logs": [log]}), "utf-8")
    found = read_snapshot(tmp_path)
    ((line,),) = found.events.values()
    assert found.now == line.at == AT
    assert "no node fits" in line.text


def test_what_is_no_number_is_no_point(tmp_path: Path) -> None:
    folder = own(tmp_path / "one")
    with (folder / "metrics.csv").open("a", encoding="utf-8") as rows:
        rows.write("2026-05-01T12:01:00Z,ecs_service:prod/checkout,cpu,nan\n")
    (series,) = read_snapshot(folder).series
    assert series.values == (40, 90)


def test_a_database_with_metrics_and_events(tmp_path: Path) -> None:
    """In the shape of OpenSRE's RDS scenarios."""
    (tmp_path / "scenario.yml").write_text("scenario_id: x\n", "utf-8")
    notes = {"summary": "lag", "db_instance_identifier": "main"}
    (tmp_path / "alert.json").write_text(json.dumps({"title": "lag", "commonAnnotations": notes}), "utf-8")
    metric = {"metric_name": "ReplicaLag", "dimensions": [{"Name": "DBInstanceIdentifier", "Value": "main-replica-1"}],
              "timestamps": ["2026-05-01T12:00:00Z"], "values": [900]}  # fmt: skip
    (tmp_path / "aws_cloudwatch_metrics.json").write_text(json.dumps({"metric_data_results": [metric]}), "utf-8")
    events = [{"date": "2026-05-01T12:01:00Z", "message": "lag exceeded", "source_identifier": "main"}]
    (tmp_path / "aws_rds_events.json").write_text(json.dumps({"events": events}), "utf-8")
    found = read_snapshot(tmp_path)
    replica = found.graph.service("main-replica-1")
    assert replica is not None
    assert replica.depends_on == ("main",)
    assert replica.resources[0].type is ResourceType.rds_instance
    assert found.series[0].signal is Signal.replica_lag
    assert found.events["rds_instance:main"][0].text == "lag exceeded"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("snapshot.yaml", "services: []", "has to have `text`"),
        ("snapshot.yaml", "text: x\ncolour: red", "'colour' is no key"),
        ("snapshot.yaml", "text: [", "cannot be read"),
        ("metrics.csv", "time,resource,signal,value\nnow,ecs_service:prod/checkout,cpu,1\n", "metrics.csv:2"),
        ("metrics.csv", "time,resource,signal,value\n2026-05-01T12:00:00Z,nobody,cpu,1\n", "is no resource"),
        ("metrics.csv", "time,resource,signal,value\n2026-05-01T12:00:00Z,ecs_service:prod/checkout,mood,1\n", "mood"),
        ("logs.ndjson", '{"time": "2026-05-01T12:00:00Z"}', "logs.ndjson:1"),
        ("logs.ndjson", "\n[1", "logs.ndjson:2"),
        ("logs.ndjson", "[1]", "logs.ndjson:1"),
        ("events.ndjson", "{", "events.ndjson:1"),
        ("changes.json", "[", "changes.json:"),
        ("changes.json", "{}", "changes.json has to hold a list"),
        ("changes.json", '["x"]', "cannot be read"),
        ("facts.json", "[]", "facts.json has to hold a mapping"),
        ("metrics.csv", "time,resource,signal,value\n" + "x" * 200_000 + "\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, file: str, content: str, said: str) -> None:
    folder = own(tmp_path / "one")
    (folder / file).write_text(content, "utf-8")
    with pytest.raises(UsageError) as refused:
        read_snapshot(folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_none_or_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        read_snapshot(tmp_path / "absent")
    with pytest.raises(UsageError, match="holds no snapshot"):
        read_snapshot(tmp_path)

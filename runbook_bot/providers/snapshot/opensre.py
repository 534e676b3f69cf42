"""The layout of OpenSRE's synthetic incidents: RDS as its APIs tell it, and workloads of EKS."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import JsonValue

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.snapshot.naming import CLOUDWATCH
from runbook_bot.providers.snapshot.snapshot import Draft

_STAMP = re.compile(r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z?)\s+(.*)$")
_POD = re.compile(r"^(?P<workload>.+?)-[a-f0-9]{6,10}-[a-z0-9]{5}$")


def fits(folder: Path) -> bool:
    return (folder / "scenario.yml").is_file() and (folder / "alert.json").is_file()


def read(folder: Path, draft: Draft) -> None:
    """Files that a scenario lacks are those of its `base` beside it. Raises `ValueError` or `KeyError`."""
    about = yaml.safe_load((folder / "scenario.yml").read_text("utf-8")) or {}
    base = folder.parent / str(about["base"]) if about.get("base") else None
    alert = json.loads((folder / "alert.json").read_text("utf-8"))
    _alert(alert, draft)
    if any(_found(folder, base, name) for name in ("aws_rds_events", "aws_cloudwatch_metrics")):
        _database(alert, folder, base, draft)
    if _found(folder, base, "eks_pods"):
        _workloads(alert, folder, base, draft)


def _found(folder: Path, base: Path | None, name: str) -> Any:
    """The file's content; of the scenario itself, else of its base; None where neither has it."""
    for place in [folder, *([base] if base else [])]:
        file = place / f"{name}.json"
        if file.is_file():
            return json.loads(file.read_text("utf-8"))
    return None


def _at(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))


def _alert(alert: dict[str, Any], draft: Draft) -> None:
    notes = alert.get("commonAnnotations") or {}
    parts = [
        alert.get("title"),
        *(notes.get(name) for name in ("summary", "description", "error", "suspected_symptom")),
    ]
    draft.text = "\n".join(str(part) for part in parts if part)


def _database(alert: dict[str, Any], folder: Path, base: Path | None, draft: Draft) -> None:
    notes = alert.get("commonAnnotations") or {}
    meant = str(notes.get("db_instance_identifier") or notes.get("db_instance") or "")
    metrics = _found(folder, base, "aws_cloudwatch_metrics") or _pieces(base)
    for each in metrics.get("metric_data_results") or []:
        names = [d["Value"] for d in each.get("dimensions") or [] if d["Name"] == "DBInstanceIdentifier"]
        known = CLOUDWATCH.get(str(each["metric_name"]))
        if not names or known is None:
            continue
        instance = _instance(names[0])
        draft.has(instance.name, instance)
        for at, value in zip(each["timestamps"], each["values"], strict=False):
            draft.measure(instance, known.signal, _at(at), float(value) * known.factor, each["metric_name"])
    for event in (_found(folder, base, "aws_rds_events") or {}).get("events") or []:
        instance = _instance(str(event.get("source_identifier") or meant))
        draft.has(instance.name, instance)
        draft.tell(instance, _at(event["date"]), str(event["message"]), stream="RDS event")
    insights = _found(folder, base, "aws_performance_insights") or {}
    if insights.get("db_instance_identifier"):
        draft.know(_instance(str(insights["db_instance_identifier"])), _insights(insights))
    draft.service = meant or draft.service
    _settle(draft, meant)


def _settle(draft: Draft, meant: str) -> None:
    """A replica that is named after an instance depends on it."""
    for name in draft.names:
        source = next((other for other in draft.names if other != name and name.startswith(f"{other}-")), None)
        if source:
            draft.has(name, calls=[source])
    if meant:
        draft.has(meant, _instance(meant))


def _pieces(base: Path | None) -> dict[str, Any]:
    """The healthy base keeps a file per metric."""
    files = sorted(base.glob("aws_cloudwatch_metrics_*.json")) if base else []
    found = [json.loads(file.read_text("utf-8")) for file in files]
    return {"metric_data_results": [each for each in found if "metric_name" in each]}


def _insights(said: dict[str, Any]) -> dict[str, Any]:
    waits = {str(each["name"]): each.get("db_load_avg") for each in (said.get("top_wait_events") or [])[:5]}
    statements = [
        f"{str(each.get('statement', ''))[:200]} (load {each.get('db_load_avg')})"
        for each in (said.get("top_sql") or [])[:5]
    ]
    return {"top_waits": waits, "top_sql": statements}


def _instance(name: str) -> Resource:
    return Resource(type=ResourceType.rds_instance, name=name)


def _workloads(alert: dict[str, Any], folder: Path, base: Path | None, draft: Draft) -> None:
    labels = alert.get("commonLabels") or {}
    cluster, namespace = labels.get("cluster_name"), labels.get("namespace")
    name = str(labels.get("workload_name") or labels.get("service") or "workload")
    kind = str(labels.get("workload_type") or "deployment")

    def workload(of: str) -> Resource:
        return Resource(
            type=ResourceType.kubernetes_workload, cluster=cluster, namespace=namespace, kind=kind, name=of
        )  # fmt: skip

    draft.service = name
    draft.has(name, workload(name))
    for pod in (_found(folder, base, "eks_pods") or {}).get("pods") or []:
        _pod(pod, workload(_owner(str(pod["name"]), name)), draft)
    for event in (_found(folder, base, "eks_events") or {}).get("warning_events") or []:
        pod = str(event.get("involved_object", "")).rpartition("/")[2]
        text = f"{event.get('reason')}: {event.get('message')} ({event.get('count', 1)} times, {pod})"
        draft.tell(workload(_owner(pod, name)), _at(event["first_time"]), text, stream="Kubernetes event")
        if event.get("last_time") and event["last_time"] != event["first_time"]:
            draft.tell(workload(_owner(pod, name)), _at(event["last_time"]), text, stream="Kubernetes event")
    logs = _found(folder, base, "eks_pod_logs") or {}
    _pod_log(str(logs.get("logs", "")), workload(_owner(str(logs.get("pod_name", "")), name)), draft)
    for line in (_found(folder, base, "datadog_logs") or {}).get("logs") or []:
        of = str(line.get("service") or name)
        draft.has(of, workload(of))
        draft.log(workload(of), _at(line["timestamp"]), f"{str(line.get('status', '')).upper()} {line['message']}")
    for each in (_found(folder, base, "eks_deployments") or {}).get("deployments") or []:
        counts = {f"{word}_count": each.get(word) for word in ("desired", "ready", "available", "unavailable")}
        draft.know(workload(str(each["name"])), {**counts, "running_count": each.get("ready")})
    for monitor in (_found(folder, base, "datadog_monitors") or {}).get("monitors") or []:
        state = "alarm" if str(monitor.get("overall_state")).casefold() == "alert" else "ok"
        draft.alarms.append(Alarm.model_validate({"name": monitor["name"], "state": state, "subject": workload(name)}))
    nodes = (_found(folder, base, "eks_node_health") or {}).get("nodes") or []
    sick: list[JsonValue] = [
        str(each["name"]) for each in nodes if each.get("ready") != "True" or "True" in _pressures(each)
    ]
    draft.know(workload(name), {"nodes": len(nodes), "nodes_not_ready": sick})


def _pressures(node: dict[str, Any]) -> list[str]:
    return [str(value) for key, value in node.items() if key.endswith("_pressure")]


def _owner(pod: str, otherwise: str) -> str:
    found = _POD.match(pod)
    return found["workload"] if found else otherwise


def _pod(pod: dict[str, Any], workload: Resource, draft: Draft) -> None:
    """What its containers and conditions say; a state has the time at which it began."""
    draft.has(workload.name, workload)
    began = _at(pod["start_time"]) if pod.get("start_time") else None
    for container in pod.get("containers") or []:
        state = container.get("state") or {}
        said = ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))
        if said or container.get("restart_count"):
            text = f"pod {pod['name']} container {container.get('name')}: {said or 'running'}"
            text += f", restarted {container.get('restart_count', 0)} times"
            text += f", exit code {state['exit_code']}" if state.get("exit_code") is not None else ""
            since = _at(state["started_at"]) if state.get("started_at") else began
            draft.tell(workload, since, text, stream="pod state")
    for condition in pod.get("conditions") or []:
        if condition.get("status") == "False" and condition.get("message"):
            told = f"pod {pod['name']} {condition['type']} is false: {condition.get('reason')}: {condition['message']}"
            draft.tell(workload, began, told, stream="pod condition")


def _pod_log(text: str, workload: Resource, draft: Draft) -> None:
    """Lines without a time belong to the one before."""
    at: datetime | None = None
    for row in text.splitlines():
        stamped = _STAMP.match(row)
        if stamped:
            at = _at(stamped[1])
        if at is not None and row.strip():
            draft.log(workload, at, stamped[2] if stamped else row)

"""The layout of RootCauseBench: alert, metrics, logs, traces, commits, deployments and flags of a few services."""

import csv
import json
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from runbook_bot.analysis.traces import Span, calls
from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Alarm, Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.providers.snapshot.naming import measured
from runbook_bot.providers.snapshot.snapshot import Draft

_FILES = 120
"""Characters of a commit's list of files that are kept."""


def fits(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("alert.json", "metrics.csv", "logs.ndjson"))


def read(folder: Path, draft: Draft) -> None:
    """Raises `ValueError` or `KeyError` for what has another shape."""
    _alert(_json(folder / "alert.json"), draft)
    _metrics(folder / "metrics.csv", draft)
    _logs(folder / "logs.ndjson", draft)
    _traces(_json(folder / "traces.json", []), draft)
    context = folder / "context"
    commits = {each["sha"]: each for each in _json(context / "commits.json", [])}
    _deployments(_json(context / "deploys.json", []), commits, draft)
    _flags(_json(context / "flags.json", []), draft)
    _callers(draft, folder / "logs.ndjson")


def workload(service: str) -> Resource:
    """A service here runs on nothing that is named."""
    return Resource(type=ResourceType.kubernetes_workload, name=service)


def own_metric(service: str, name: str) -> Resource:
    """A metric that has no neutral signal."""
    return Resource(type=ResourceType.metric, namespace="snapshot", name=name, dimensions={"service": service})


def _json(file: Path, absent: Any = None) -> Any:
    if absent is not None and not file.is_file():
        return absent
    return json.loads(file.read_text("utf-8"))


def _at(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))


def _alert(alert: dict[str, Any], draft: Draft) -> None:
    service = str(alert["service"])
    draft.has(service, workload(service))
    draft.service, draft.at = service, _at(alert["fired_at"])
    draft.text = str(alert.get("summary") or alert.get("monitor"))
    meant = measured(str(alert["metric"]))
    draft.alarms.append(
        Alarm(
            name=str(alert.get("monitor") or alert["metric"]),
            state="alarm",
            since=draft.at,
            metric=None if meant else own_metric(service, str(alert["metric"])),
            subject=workload(service),
            signal=meant.signal if meant else None,
            threshold=float(alert["threshold"]) * (meant.factor if meant else 1.0),
            comparison="above" if float(alert["observed"]) >= float(alert["threshold"]) else "below",
            description=draft.text,
        )
    )


def _metrics(file: Path, draft: Draft) -> None:
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            service, name, at = row["service"], row["metric"], _at(row["timestamp"])
            meant = measured(name)
            value = float(row["value"]) * (meant.factor if meant else 1.0)
            resource = workload(service) if meant else own_metric(service, name)
            draft.has(service, workload(service), *([] if meant else [resource]))
            draft.measure(resource, meant.signal if meant else Signal.value, at, value, name)


def _logs(file: Path, draft: Draft) -> None:
    for line in _lines(file):
        service = str(line["service"])
        draft.has(service, workload(service))
        text = f"{line.get('severity_text', '')} {line.get('msg', '')}".strip()
        draft.log(workload(service), _at(line["timestamp"]), text)


def _lines(file: Path) -> Iterable[dict[str, Any]]:
    with file.open(encoding="utf-8") as rows:
        yield from (json.loads(row) for row in rows if row.strip())


def _traces(spans: list[dict[str, Any]], draft: Draft) -> None:
    """Who calls whom."""
    known = [
        Span(str(each.get("trace_id")), str(each["span_id"]), str(each.get("parent_id") or ""), str(each["service"]))
        for each in spans
    ]
    for caller, called in calls(known).items():
        draft.has(caller, workload(caller), calls=called)


def _callers(draft: Draft, file: Path) -> None:
    """Services that complain of another one call it; few traces show all calls."""
    names = draft.names
    named = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names)) if names else None
    for line in _lines(file) if named else ():
        if line.get("severity_text") in ("WARN", "ERROR", "FATAL") and named:
            found = named.findall(str(line.get("msg", "")))
            draft.has(str(line["service"]), calls=found)


def _deployments(deployments: list[dict[str, Any]], commits: dict[str, dict[str, Any]], draft: Draft) -> None:
    for each in deployments:
        service, commit = str(each["service"]), commits.get(each.get("commit_sha", ""), {})
        draft.has(service, workload(service))
        files = [str(name) for name in commit.get("files_changed") or []]
        said = f": {commit['message']}" if commit.get("message") else ""
        after = {"version": str(each.get("version", "")), "commit": str(each.get("commit_sha", ""))}
        if files:
            after["files"] = ", ".join(files)[:_FILES]
        draft.changes.append(
            Change(
                at=_at(each["timestamp"]),
                kind="deployment",
                summary=f"{service} was deployed as {each.get('version', '?')}{said}",
                actor=str(commit.get("author", "")),
                service=service,
                resource=workload(service),
                after=after,
                reference=str(each.get("commit_sha", "")),
            )
        )


def _flags(flags: list[dict[str, Any]], draft: Draft) -> None:
    for each in flags:
        service = str(each.get("service") or "")
        if not service:
            continue
        draft.has(service, workload(service))
        before, _, after = str(each.get("change", "")).partition("->")
        draft.changes.append(
            Change(
                at=_at(each["timestamp"]),
                kind="configuration",
                summary=f"flag {each['flag']} of {service}: {before} → {after}",
                actor=str(each.get("actor", "")),
                service=service,
                resource=workload(service),
                before={f"flag.{each['flag']}": before},
                after={f"flag.{each['flag']}": after},
                reference=str(each["flag"]),
            )
        )

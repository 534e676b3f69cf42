"""Public frozen incidents, where a copy of them is at hand: what their authors say was wrong, and what the engine says.

Sets: RootCauseBench (services with commits) and the synthetic incidents of OpenSRE (databases and Kubernetes).
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook_bot.domain.vocabulary import FailureMode as F  # the table below reads best at one line
from runbook_bot.errors import RunbookError, UsageError
from runbook_bot.evaluation.marking import TOP, Mark

MEANT: dict[str, frozenset[F]] = {
    "healthy": frozenset({F.none}),
    "replication_lag": frozenset({F.replication_lag}),
    "connection_exhaustion": frozenset({F.connection_exhaustion}),
    "storage_full": frozenset({F.disk_exhaustion}),
    "cpu_saturation": frozenset({F.cpu_saturation, F.slow_queries}),
    "failover": frozenset({F.database_failover}),
    "oom_killed": frozenset({F.memory_exhaustion}),
    "image_pull_backoff": frozenset({F.image_pull_failure}),
    "pending_pod": frozenset({F.capacity_shortage}),
    "probe_failure": frozenset({F.health_check_failure}),
}
"""What OpenSRE calls a failure, in our vocabulary."""
CHANGED = frozenset({F.bad_deployment, F.configuration_change})
UNCHANGED = frozenset({F.traffic_surge, F.capacity_shortage, F.none})


@dataclass(frozen=True)
class Truth:
    modes: frozenset[F]
    service: str | None = None
    commit: str = ""
    """That the evidence of the root cause has to name; empty: none."""

    def fits(self, answer: dict[str, Any]) -> bool:
        return answer["failure_mode"] in self.modes and self.service in (None, answer["service"])

    def named(self, report: dict[str, Any]) -> bool:
        """Whether the evidence cited for the root cause names the commit."""
        cited = set(report["root_cause"]["evidence"])
        return any(self.commit in each["summary"] for each in report["evidence"] if each["id"] in cited)


def incidents(data: Path) -> Iterator[tuple[str, Path]]:
    """Name of the set and folder of each incident that has its answer beside it. Raises `UsageError` without any."""
    found = [("rootcausebench", each.parent) for each in sorted(data.glob("rootcausebench/*/ground_truth.json"))]
    found += [("opensre", each.parent) for each in sorted(data.glob("opensre_synthetic/*/*/answer.yml"))]
    if not found:
        raise UsageError(
            f"{data} holds neither rootcausebench/*/ground_truth.json nor opensre_synthetic/*/*/answer.yml"
        )
    yield from found


def truth_of(folder: Path) -> Truth:
    """Raises `UsageError` for an answer that cannot be read."""
    import yaml

    try:
        if (folder / "scenario.yml").is_file():
            told = yaml.safe_load((folder / "scenario.yml").read_text("utf-8"))
            return Truth(MEANT[told["failure_mode"]])
        told = json.loads((folder / "ground_truth.json").read_text("utf-8"))
        commit = told["root_cause_commit"]
        if commit == "none":
            return Truth(UNCHANGED, told["first_failing_service"])
        return Truth(CHANGED, told["first_failing_service"], commit[:12])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as problem:
        raise UsageError(f"the answer in {folder} cannot be read: {type(problem).__name__} {problem}") from None


async def examine(kind: str, folder: Path) -> Mark:
    """One incident, investigated and marked."""
    from runbook_bot import bootstrap
    from runbook_bot.domain.incident import Request
    from runbook_bot.investigation.report import report
    from runbook_bot.providers.snapshot.reading import read_snapshot
    from runbook_bot.settings import Settings

    truth, told, problem = truth_of(folder), None, ""
    with tempfile.TemporaryDirectory(prefix="runbook-eval-") as home:
        try:
            frozen = read_snapshot(folder)
            settings = Settings.load(Path(home), {"PATH": os.defpath})
            began = time.monotonic()
            request = Request(text=frozen.text, service=frozen.service, at=frozen.at)
            case = await bootstrap.investigate(settings, request, snapshot=frozen)
            told = report(case, "", time.monotonic() - began)
        except RunbookError as error:
            problem = str(error)
    return _marked(kind, folder.name, truth, told, problem)


def _marked(kind: str, name: str, truth: Truth, told: dict[str, Any] | None, problem: str) -> Mark:
    cause = (told or {}).get("root_cause") or {}
    ranked = (told or {}).get("ranked") or []
    fits = [truth.fits(each) for each in ranked[:TOP]]
    right = bool(cause) and truth.fits(cause) and told is not None and truth.named(told)
    stats = (told or {}).get("stats") or {}
    return Mark(
        id=name,
        part=kind,
        family=kind,
        variant="",
        mode=sorted(truth.modes)[0],
        service=truth.service,
        answerable=True,
        got=cause.get("failure_mode"),
        got_service=cause.get("service"),
        named=bool(cause),
        right=right,
        among_first=any(fits),
        confidence=float(ranked[0]["confidence"]) if ranked else 0.0,
        first_right=right if cause else bool(fits) and fits[0],
        queries=int(stats.get("queries", 0)),
        seconds=float(stats.get("seconds", 0.0)),
        loading=0.0,
        problem=problem,
    )

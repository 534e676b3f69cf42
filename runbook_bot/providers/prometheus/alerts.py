"""Alerting rules as alarms: what each watches, its threshold, and since when it fires."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType

_COMPARED = re.compile(r"(?s)(.+?)\s*(>=|<=|>|<)\s*(?:bool\s+)?([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*")
_SEVERAL = re.compile(r"(?i)\b(and|or|unless)\b")
_STATES: dict[str, Literal["ok", "alarm", "insufficient_data"]] = {
    "firing": "alarm",
    "pending": "insufficient_data",
    "inactive": "ok",
}
_SPEAKING = ("service", "app", "job", "deployment", "statefulset", "namespace", "destination_workload")
"""Labels that tell whom an alert is about."""
MOST = 200


def alarms(data: Any, name: str | None) -> tuple[list[Alarm], int]:
    """From an answer of `/api/v1/rules`; with a name that rule alone, else those that fire, the oldest first.

    The number is how many were left out.
    """
    found = []
    for rule in _rules(data):
        if name is not None and rule.get("name") != name:
            continue
        if name is None and rule.get("state") != "firing":
            continue
        try:
            found.append(_alarm(rule))
        except ValidationError:
            continue  # a rule that another program serves in its own shape
    found.sort(key=lambda each: (each.since is None, each.since, each.name))
    return found[:MOST], max(0, len(found) - MOST)


def _rules(data: Any) -> Iterator[dict[str, Any]]:
    groups = data.get("groups") if isinstance(data, dict) else None
    for group in groups if isinstance(groups, list) else ():
        rules = group.get("rules") if isinstance(group, dict) else None
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and rule.get("type", "alerting") == "alerting":
                yield rule


def _alarm(rule: dict[str, Any]) -> Alarm:
    alerts = [each for each in rule.get("alerts") or () if isinstance(each, dict)]
    first = min(alerts, key=_since_text, default={})
    labels = {**_texts(rule.get("labels")), **_texts(first.get("labels"))}
    notes = {**_texts(rule.get("annotations")), **_texts(first.get("annotations"))}
    expression = str(rule.get("query") or "")
    watched, comparison, threshold = _watched(expression)
    own = {k: v for k, v in labels.items() if k != "alertname" and k not in _texts(rule.get("labels"))}
    speaking = ", ".join(f"{k} {labels[k]}" for k in _SPEAKING if k in labels)
    said = notes.get("description") or notes.get("summary") or ""
    return Alarm(
        name=str(rule.get("name") or ""),
        state=_STATES.get(str(rule.get("state")), "insufficient_data"),
        since=_moment(first.get("activeAt")) if first else None,
        metric=Resource(type=ResourceType.metric, name=watched[:200], promql=watched, dimensions=own)
        if watched
        else None,
        threshold=threshold,
        comparison=comparison,
        description=(said + (f" ({speaking})" if speaking else ""))[:1000].strip(),
    )


def _watched(expression: str) -> tuple[str, Literal["above", "below"] | None, float | None]:
    """The expression without its comparison to a number, which would leave points only where it holds."""
    found = _COMPARED.fullmatch(expression)
    if found is None or _SEVERAL.search(expression):
        return expression, None, None
    return found[1].strip(), "above" if ">" in found[2] else "below", float(found[3])


def _texts(told: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}


def _since_text(alert: dict[str, Any]) -> str:
    return str(alert.get("activeAt") or "9")


def _moment(text: Any) -> datetime | None:
    """Prometheus writes nanoseconds."""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None

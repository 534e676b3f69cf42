"""A metric in a few numbers: least, most, mean, now, and whether and when it moved; and its usual statistic."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from runbook_bot.analysis.shift import onset_between, shift
from runbook_bot.domain.noun import Json, iso
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.providers.aws.metric_points import Points
from runbook_bot.providers.aws.metric_table import TABLE

_KNOWN = {(row.namespace, row.name): row.statistic for row in TABLE if not row.statistic.startswith("p")}
_MEAN = re.compile(
    r"utili[sz]ation|percent|ratio|rate$|latency|duration|time$|balance|average|hitrate|%", re.IGNORECASE
)
_PEAK = re.compile(r"age|lag|max|concurren|depth|backlog|statuscheck|unhealthy|limit", re.IGNORECASE)
_LEVEL = re.compile(
    r"connections?$|visible|inservice|healthyhost|capacity$|size$|messages$|free|available|taskcount|instances$|bytes$|"
    r"memory|swap|active",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"count|errors?$|requests?$|invocations|throttl|faults?$|sent|received|deleted|published|failed|dropped|rejected|"
    r"incoming|events|misses|hits|evictions|timeouts?|retries|[45]xx|consumed",
    re.IGNORECASE,
)


def usual_statistic(namespace: str, name: str) -> str:
    """The statistic by which a metric is read: sums of what is counted, peaks of what must not pile up."""
    known = _KNOWN.get((namespace, name))
    if known:
        return known
    if _MEAN.search(name):
        return "Average"
    if _LEVEL.search(name) and not re.search(r"error|fault|fail", name, re.IGNORECASE):
        return "Average"
    if _PEAK.search(name):
        return "Maximum"
    return "Sum" if _SUM.search(name) else "Average"


def summary(points: Points, counts: bool) -> Json:
    """The facts of a series; `counts` where its values are numbers of things. Costs up to a tenth of a second."""
    ordered = sorted(points.items())
    values = [value for _, value in ordered]
    lowest, highest = min(ordered, key=lambda pair: pair[1]), max(ordered, key=lambda pair: pair[1])
    found: Json = {
        "now": short(values[-1]),
        "min": short(lowest[1]),
        "max": short(highest[1]),
        "mean": short(sum(values) / len(values)),
        "max_at": iso(datetime.fromtimestamp(highest[0], UTC)),
        "points": len(values),
    }
    times = [at for at, _ in ordered]
    moved = shift(times, values, counts=counts)
    if moved.moved == "steady":
        return found | {"shift": "steady" if moved.enough else "too few points to tell"}
    begun = iso(datetime.fromtimestamp(moved.onset or ordered[0][0], UTC))
    back = f", back at {iso(datetime.fromtimestamp(moved.ended, UTC))}" if moved.ended else ""
    told = f"{moved.moved} at {begun} from {short(moved.baseline)} to {short(moved.level)}{back}"
    between = onset_between(times, values, moved)
    within: Json = {"begun_between": [iso(datetime.fromtimestamp(at, UTC)) for at in between]} if between else {}
    return found | {"shift": told, "effect": short(moved.effect)} | within


def short(value: float) -> float:
    """Four digits that count."""
    return float(f"{value:.4g}")


def series_of(
    name: str, namespace: str, dimensions: Mapping[str, str], statistic: str, points: Points, period: int
) -> Series:
    """The points of a metric that has no neutral name, in its own unit."""
    ordered = sorted(points.items())
    resource = Resource(
        type=ResourceType.metric, name=name, namespace=namespace, dimensions=dict(dimensions), statistic=statistic
    )
    return Series(
        name=f"{name} {statistic}".strip(),
        signal=Signal.value,
        resource=resource,
        step=float(period),
        times=tuple(at for at, _ in ordered),
        values=tuple(value for _, value in ordered),
    )

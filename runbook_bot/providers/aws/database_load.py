"""A database's load as an event: that more sessions are active since the onset, and what most of them wait for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.insights import Kind, Load, read_load, writer
from runbook_bot.providers.aws.levels import last, rounded
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_instance
from runbook_bot.providers.aws.rds_limits import class_vcpus

_LEAD = timedelta(seconds=120)
"""Load may rise before its consequence is seen in a metric by the minute."""
_RISE, _LEAST_SESSIONS = 1.5, 1.0
_MOST, _WORTH_NAMING = 0.5, 0.1
_WORDS: dict[Kind, str] = {
    "lock": "most sessions wait for locks",
    "io": "most sessions wait for reads and writes",
    "cpu": "most sessions compute",
    "other": "most sessions wait for something else",
}
"""The catalogue of failure modes knows these phrases."""


async def load_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    """One line where the load rose with the onset, or is more than the processors can do; none without Performance
    Insights. Two calls, or three for a cluster."""
    span = last(1, now, window)
    try:
        look = writer if resource.type is ResourceType.rds_cluster else read_instance
        instance = await look(place, resource.name)
        if not instance.get("PerformanceInsightsEnabled"):
            return [], []
        load = await read_load(place, instance, span, statements=True)
    except CallFailed as failure:
        return [], [] if failure.kind == "missing" else [failure]
    line = _line(load, instance, span)
    return [line] if line is not None else [], []


def _line(load: Load, instance: Answer, window: TimeWindow) -> LogLine | None:
    moments = sorted(load.sessions)
    begin = (window.onset - _LEAD).timestamp() if window.onset else None
    before = [m for m in moments if begin is not None and m < begin]
    after = [m for m in moments if begin is None or m >= begin]
    if not after:
        return None
    was, level = _mean(load, before), _mean(load, after)
    vcpus = class_vcpus(str(instance.get("DBInstanceClass", "")))
    rose = bool(before) and level >= max(_LEAST_SESSIONS, _RISE * was)
    if not rose and not (vcpus and level > vcpus):
        return None
    reached = next((m for m in after if load.sessions[m] >= (was + level) / 2), after[0])
    against = f" on {vcpus} processors" if vcpus else ""
    how = f"rose from {rounded(was)} to {rounded(level)}{against}" if rose else f"are {rounded(level)}{against}"
    text = f"Performance Insights: active sessions {how}; {_waited(load, after, level)}"
    if load.statements:
        text += f"; most of it in: {load.statements[0].name[:160]}"
    return LogLine(at=datetime.fromtimestamp(reached, UTC), text=text, stream="performance insights")


def _mean(load: Load, moments: Sequence[float]) -> float:
    return sum(load.sessions[each] for each in moments) / len(moments) if moments else 0.0


def _waited(load: Load, moments: Sequence[float], level: float) -> str:
    """`most sessions wait for locks (81 % Lock:transactionid, 9 % CPU)`."""
    start, end = moments[0], moments[-1] + 1
    shares = [(wait.mean(start, end, moments) / level, wait) for wait in load.waits] if level else []
    kinds: dict[Kind, float] = {}
    for share, wait in shares:
        kinds[wait.kind] = kinds.get(wait.kind, 0.0) + share
    kind, part = max(kinds.items(), key=lambda each: each[1], default=("other", 0.0))
    said = _WORDS[kind] if part >= _MOST else "sessions wait for different things"
    named = sorted((each for each in shares if each[0] >= _WORTH_NAMING), key=lambda each: -each[0])
    told = ", ".join(f"{share:.0%} {wait.name}" for share, wait in named[:3])
    return f"{said} ({told})" if told else said

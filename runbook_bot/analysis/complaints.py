"""What each service has begun to complain of: new kinds of log lines, and what vendors report of its resources."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from runbook_bot.analysis.templates import TROUBLE, Template, novel, template, templates
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Queried
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.vocabulary import ResourceType

LEAD = 120.0
"""Seconds by which a first complaint may precede the onset that is seen in a metric by the minute."""
EVENTFUL = (ResourceType.ecs_service, ResourceType.kubernetes_workload, ResourceType.rds_instance,
            ResourceType.rds_cluster, ResourceType.autoscaling_group, ResourceType.elasticache_cluster,
            ResourceType.ec2_instance, ResourceType.eks_cluster)  # fmt: skip
"""Resources of which vendors report events."""
REMEMBERED = 128
_read: OrderedDict[tuple[int, float], tuple[Queried, list[Template]]] = OrderedDict()


def mentions(text: str, name: str) -> bool:
    """Whether a line names a service, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


SPOKEN: dict[ResourceType, str] = {
    ResourceType.elasticache_cluster: r"redis|jedis|lettuce|valkey|memcache|maxmemory|:6379\b|:11211\b",
    ResourceType.rds_instance: r"postgres|psycopg|\bpgx?\b|mysql|mariadb|jdbc|:(5432|3306)\b",
    ResourceType.dynamodb_table: r"dynamo",
    ResourceType.sqs_queue: r"\bsqs\b",
    ResourceType.kinesis_stream: r"kinesis",
}
SPOKEN[ResourceType.rds_cluster] = SPOKEN[ResourceType.rds_instance]
"""Words by which clients' libraries and addresses give away what kind of thing they talk to."""
_REACHING = re.compile(
    r"connect|time.?out|timed out|refused|reset|unavailable|unreachable|closed|broken pipe|too many|slots|"
    r"deadlock|lock wait|read.?only|no space|not allowed|loading|clusterdown|throttl|exceeded|not respond",
    re.IGNORECASE,
)
"""What a complaint of the other side reads like; a wrong statement is the caller's own fault."""


def speaks_of(text: str, service: Service) -> bool:
    """Whether a complaint is about reaching something of the kind that the service is made of."""
    kinds = {SPOKEN[each.type] for each in service.resources if each.type in SPOKEN}
    return bool(kinds) and bool(_REACHING.search(text)) and any(re.search(k, text, re.IGNORECASE) for k in kinds)


def complaints(case: Investigation, service: str) -> list[Template]:
    """New complaints in the logs of that service, most frequent first; only what was read without a filter."""
    moment = _moment(case)
    if moment is None or case.graph is None:
        return []
    found: list[Template] = []
    for asked in case.asked:
        if asked.query_kind == "search_logs" and not asked.query.get("any_of") and _owner(case, asked) == service:
            found += _new(asked, moment)
    return sorted(found, key=lambda each: -each.after)


def mentioned(case: Investigation, service: str) -> list[str]:
    """Known services that the new complaints of that service name: an edge of the graph, if not written anywhere."""
    if case.graph is None:
        return []
    heard = [each.exemplar for each in complaints(case, service)[:10]]
    others = [each.name for each in case.graph if each.name != service]
    return [name for name in others if any(mentions(text, name) for text in heard)]


def reports(case: Investigation, service: str) -> list[LogLine]:
    """What vendors reported of the service's resources within the window."""
    events = [a for a in case.asked if a.query_kind == "list_events" and _owner(case, a) == service]
    return [line for asked in events for line in asked.result.lines]


def _moment(case: Investigation) -> float | None:
    onset = case.incident.window.onset if case.incident else None
    return onset.timestamp() - LEAD if onset else None


FEWEST = 5.0
"""Lines that would be expected before the first one, had they come at that rate all the time (Poisson: none of five
comes by chance in less than one case of a hundred).
"""
COVERED = 600.0
"""Seconds of the log before a first complaint that must have been read to call it the first."""


@dataclass(frozen=True)
class Beginning:
    """A kind of complaint that was not there at first, and then came again and again."""

    service: str
    at: float
    """Epoch seconds of its first line."""
    exemplar: str
    lines: int


def beginning(case: Investigation) -> Beginning | None:
    """The most frequent complaint that began within what was read of the logs, where no metric gives an onset."""
    found = []
    for asked in case.asked:
        if asked.query_kind == "search_logs" and not asked.query.get("any_of") and asked.result.lines:
            found += _begun(_owner(case, asked), asked.result.lines)
    return max(found, key=lambda each: (each.lines, -each.at), default=None)


def _begun(service: str, lines: Sequence[LogLine]) -> list[Beginning]:
    earliest = min(line.at.timestamp() for line in lines)
    latest = max(line.at.timestamp() for line in lines)
    kinds: dict[str, list[LogLine]] = {}
    for line in lines:
        if TROUBLE.search(line.text):
            kinds.setdefault(template(line.text), []).append(line)
    found = []
    for kind in kinds.values():
        first = min(kind, key=lambda line: line.at)
        at = first.at.timestamp()
        rate = len(kind) / max(latest - at, 60.0)
        if at - earliest >= COVERED and rate * (at - earliest) >= FEWEST and len(kind) >= FEWEST:
            found.append(Beginning(service, at, first.text, len(kind)))
    return found


def _owner(case: Investigation, asked: Queried) -> str:
    raw = asked.query.get("resource")
    owner = case.graph.owner_of(Resource.model_validate(raw)) if case.graph and isinstance(raw, dict) else None
    return owner.name if owner else ""


def _new(asked: Queried, moment: float) -> list[Template]:
    key = (id(asked), moment)
    known = _read.get(key)
    if known is None:
        times = [line.at.timestamp() for line in asked.result.lines]
        earliest, latest = min([moment - 900, *times]), max([moment + 60, *times])
        minutes = {"before_minutes": (moment - earliest) / 60, "after_minutes": (latest - moment) / 60}
        known = _read[key] = (asked, novel(templates(asked.result.lines, moment), **minutes))
        if len(_read) > REMEMBERED:
            _read.popitem(last=False)
    return known[1]

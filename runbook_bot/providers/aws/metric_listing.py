"""Finds the dimensions that CloudWatch really has a metric under, for what was empty under the usual ones."""

import asyncio
from collections.abc import Sequence

from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.dimensions import belongs, primary_dimension
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.metric_points import Wanted
from runbook_bot.providers.aws.place import Place

_MOST_LISTINGS = 24
_MOST_METRICS = 500
_MOST_SETS = 4
Listed = list[tuple[str, dict[str, str]]]
"""Metric names with their dimensions."""


async def other_dimensions(place: Place, empty: Sequence[Wanted], period: int) -> list[Wanted]:
    """The same metrics under other dimensions that are about the same resource; nothing where there are none."""
    groups: dict[tuple[str, str], list[Wanted]] = {}
    for each in empty:
        if primary_dimension(each.resource.type) is not None:
            groups.setdefault((each.row.namespace, each.resource.key), []).append(each)
    chosen = list(groups.values())[:_MOST_LISTINGS]
    found = await asyncio.gather(*(_for_group(place, group, period) for group in chosen))
    return [each for part in found for each in part]


async def _for_group(place: Place, group: Sequence[Wanted], period: int) -> list[Wanted]:
    first = group[0]
    try:
        listed = await _listing(place, first.row.namespace, first.resource, first.dimensions)
    except CallFailed:
        return []  # the listing only widens the search; what was asked for directly has its own answer
    known = [each.dimensions for each in group]
    return [
        Wanted(each.resource, each.row, dimensions, period)
        for each in {id(e.row): e for e in group}.values()
        for dimensions in _smallest([d for name, d in listed if name == each.row.name and d not in known])
    ]


def _smallest(sets: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those with the fewest dimensions: the most summed up that there is."""
    fewest = min((len(each) for each in sets), default=0)
    return [each for each in sets if len(each) == fewest][:_MOST_SETS]


async def _listing(place: Place, namespace: str, resource: Resource, dimensions: dict[str, str] | None) -> Listed:
    dimension = primary_dimension(resource.type) or ""
    filter = {"Name": dimension}
    value = (dimensions or {}).get(dimension)
    if value is not None:
        filter["Value"] = value

    async def look() -> Listed:
        metrics = await place.gather(
            "cloudwatch", "ListMetrics", "Metrics", _MOST_METRICS, Namespace=namespace, Dimensions=[filter]
        )
        named = [
            (str(m.get("MetricName")), {d["Name"]: d["Value"] for d in m.get("Dimensions") or []}) for m in metrics
        ]
        return [(name, found) for name, found in named if belongs(resource, found)]

    return await place.recall(("metrics", namespace, resource.key, value), 60.0, look)

"""Finds the dimensions that CloudWatch really has a metric under, for what was empty under the usual ones."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.dimensions import belongs, primary_dimension
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.metric_points import Wanted
from runbook_bot.providers.aws.place import Place

_MOST_LISTINGS = 24
_MOST_PAGES = 10
_MOST_SETS = 4
Listed = list[tuple[str, dict[str, str]]]
"""Metric names with their dimensions, each pair once."""


async def other_dimensions(place: Place, empty: Sequence[Wanted], period: int) -> list[Wanted]:
    """The same metrics under other dimensions that are about the same resource; nothing where there are none."""
    groups: dict[tuple[str, str], list[Wanted]] = {}
    for each in (one for one in empty if not one.row.account_wide):
        groups.setdefault((each.row.namespace, each.resource.key), []).append(each)
    chosen = list(groups.values())[:_MOST_LISTINGS]
    found = await asyncio.gather(*(_for_group(place, group, period) for group in chosen))
    return [each for part in found for each in part]


async def _for_group(place: Place, group: Sequence[Wanted], period: int) -> list[Wanted]:
    first = group[0]
    try:
        listed = await _listing(place, first)
    except CallFailed:
        return []  # the listing only widens the search; what was asked for directly has its own answer
    known = [_in_order(each.dimensions or {}) for each in group]
    found: list[Wanted] = []
    for each in {id(e.row): e for e in group}.values():
        others = [d for name, d in listed if name == each.row.name and _in_order(d) not in known]
        found += [Wanted(each.resource, each.row, dimensions, period) for dimensions in _summed(first, others)]
    return found


def _in_order(dimensions: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """AWS does not mind the order of dimensions; stand-ins for it do."""
    return tuple(dimensions.items())


def _summed(wanted: Wanted, sets: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those with the fewest dimensions: the most summed up that there is.

    One target group of several is not its load balancer, so those are left to who asks for them.
    """
    fewest = min((len(each) for each in sets), default=0)
    chosen = [each for each in sets if len(each) == fewest]
    parts = wanted.resource.type is ResourceType.load_balancer and len(chosen) > 1
    return [] if parts else chosen[:_MOST_SETS]


async def _listing(place: Place, wanted: Wanted) -> Listed:
    row, resource = wanted.row, wanted.resource
    request: dict[str, Any] = {"Namespace": row.namespace}
    dimension = primary_dimension(resource.type)
    if dimension is not None:
        value = (wanted.dimensions or {}).get(dimension)
        request["Dimensions"] = [{"Name": dimension} | ({"Value": value} if value is not None else {})]
    else:
        request["MetricName"] = row.name

    async def look() -> Listed:
        found: dict[tuple[str, tuple[tuple[str, str], ...]], None] = {}
        pages = 0
        async for page in place.pages("cloudwatch", "ListMetrics", **request):
            for each in page.get("Metrics") or []:
                dimensions = tuple((str(d.get("Name")), str(d.get("Value"))) for d in each.get("Dimensions") or [])
                found[str(each.get("MetricName")), dimensions] = None
            pages += 1
            if pages >= _MOST_PAGES:
                break
        return [(name, dict(dimensions)) for name, dimensions in found]

    listed = await place.recall(("metrics", json.dumps(request, sort_keys=True)), 60.0, look)
    return [(name, found) for name, found in listed if _about(wanted, found)]


def _about(wanted: Wanted, dimensions: dict[str, str]) -> bool:
    if primary_dimension(wanted.resource.type) is not None:
        return belongs(wanted.resource, dimensions)
    return dimensions == wanted.dimensions

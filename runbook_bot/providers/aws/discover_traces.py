"""Discovers who called whom lately in X-Ray's service graph, where traces are kept."""

from collections.abc import Mapping
from datetime import timedelta

from runbook_bot.providers.aws.discovered import Lead
from runbook_bot.providers.aws.looking import Looking

WINDOW = timedelta(hours=1)
MOST_NODES = 2000


async def traced(look: Looking) -> dict[str, list[Lead]]:
    """By the lower-case name of the caller, what it was seen to call."""
    now = look.now
    nodes = await look.listed("xray", "GetServiceGraph", "Services", MOST_NODES, StartTime=now - WINDOW, EndTime=now)
    names = {each.get("ReferenceId"): _name(each) for each in nodes}
    found: dict[str, list[Lead]] = {}
    for each in nodes:
        if each.get("Type") == "client" or not _name(each):
            continue
        called = [names.get(edge.get("ReferenceId")) for edge in each.get("Edges") or []]
        leads = [Lead(name, "trace") for name in called if name]
        found.setdefault(_name(each).lower(), []).extend(leads)
    return found


def _name(node: Mapping[str, object]) -> str:
    """A database is `name@host` there: the host tells which one."""
    name = str(node.get("Name") or "")
    return name.rpartition("@")[2]

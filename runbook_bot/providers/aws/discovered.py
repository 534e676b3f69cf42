"""What discovery found, before it is a graph: resources, the names others call them by, and what they call."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.vocabulary import ResourceType

_NAME_TAGS = ("service", "Service", "app", "App", "application")
_OWNER_TAGS = ("owner", "Owner", "team", "Team")
_SHORT = 4
_BETWEEN = re.compile(r"[^\w.\-]+")


@dataclass(frozen=True)
class Found:
    """One thing that runs or keeps data."""

    name: str
    resources: tuple[Resource, ...]
    owner: str | None = None
    handles: frozenset[str] = frozenset()
    """Lower-case hosts, addresses and URLs that others reach it by, beside its name."""
    calls: tuple[str, ...] = ()
    """Names of services it is known to call."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Raw values, compared with handles and never shown."""
    balancers: tuple[str, ...] = ()

    @staticmethod
    def of_balancer(name: str, host: str, calls: Iterable[str]) -> "Found":
        resource = Resource(type=ResourceType.load_balancer, name=name)
        return Found(name, (resource,), handles=frozenset({host} - {""}), calls=tuple(dict.fromkeys(calls)))


def service_name(tags: Mapping[str, str], fallback: str) -> str:
    return next((tags[tag] for tag in _NAME_TAGS if tags.get(tag)), fallback)


def owner_name(tags: Mapping[str, str]) -> str | None:
    return next((tags[tag] for tag in _OWNER_TAGS if tags.get(tag)), None)


def grouped(found: Sequence[Found]) -> list[Service]:
    """One service a name, with what it calls by its environment. Load balancers shared by many stay with none."""
    shared = _shared(found)
    members: dict[str, list[Found]] = {}
    for each in found:
        members.setdefault(each.name, []).append(each)
    by_handle = {handle: each.name for each in found for handle in each.handles}
    names = {each.name.lower(): each.name for each in found}
    names |= {
        r.name.lower(): each.name for each in found for r in each.resources if r.type is not ResourceType.log_group
    }
    return [_service(name, parts, shared, by_handle, names) for name, parts in members.items()]


def _shared(found: Sequence[Found]) -> set[str]:
    users: dict[str, set[str]] = {}
    for each in found:
        for balancer in each.balancers:
            users.setdefault(balancer, set()).add(each.name)
    return {balancer for balancer, names in users.items() if len(names) > 1}


def _service(
    name: str, parts: Sequence[Found], shared: set[str], by_handle: Mapping[str, str], names: Mapping[str, str]
) -> Service:
    resources = [r for part in parts for r in part.resources]
    own = [
        Resource(type=ResourceType.load_balancer, name=b) for part in parts for b in part.balancers if b not in shared
    ]
    calls = [call for part in parts for call in part.calls]
    calls += [call for part in parts for value in part.environment.values() for call in called(value, by_handle, names)]
    unique = {each.key: each for each in (*resources, *own)}
    return Service(
        name=name,
        owner=next((part.owner for part in parts if part.owner), None),
        depends_on=tuple(call for call in dict.fromkeys(calls) if call != name),
        resources=tuple(unique.values()),
    )


def called(value: str, by_handle: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """The services that the value of a variable points to: by host, address, URL or plain name."""
    text = value.strip().lower()
    if text in by_handle:
        return [by_handle[text]]
    found: list[str] = []
    for token in _BETWEEN.split(text):
        bare = token.strip(".-")
        label = bare.partition(".")[0]
        is_host = "://" in text or "." in bare or ":" in text
        hit = by_handle.get(bare) or names.get(bare if not is_host else label)
        if hit is not None and (is_host or len(bare) >= _SHORT):
            found.append(hit)
    return found

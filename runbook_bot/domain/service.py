"""Services, what they are made of, and who depends on whom."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property

from pydantic import Field

from runbook_bot.domain.noun import Instant, Noun
from runbook_bot.domain.vocabulary import ResourceType

_Step = Callable[[str], Iterable[str]]


class Resource(Noun):
    """One thing at a vendor's. `name` is what the vendor's describe call takes."""

    type: ResourceType
    name: str
    cluster: str | None = None
    namespace: str | None = None
    kind: str | None = None
    dimensions: dict[str, str] = Field(default_factory=dict)
    statistic: str | None = None
    promql: str | None = None

    @cached_property
    def key(self) -> str:
        """Unique within an account and region, e.g. `ecs_service:prod/checkout-api`."""
        parts = [part for part in (self.cluster, self.namespace, self.kind, self.name) if part]
        tail = "{" + ",".join(f"{k}={v}" for k, v in sorted(self.dimensions.items())) + "}" if self.dimensions else ""
        return f"{self.type}:{'/'.join(parts)}{tail}"


class Service(Noun):
    """Something a team runs. A service may have no resources (a third party)."""

    name: str
    owner: str | None = None
    group: str | None = None
    """What it is part of, for reading a long list: an application, a stack, a cluster."""
    slack_channel: str | None = None
    oncall: str | None = None
    tier: str | None = None
    repository: str | None = None
    depends_on: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()


class Edge(Noun):
    """How it was found out that one service depends on another."""

    caller: str
    called: str
    found: str
    """`environment DB_HOST`, `event source`, `trace`, `security group`; what is in no edge was written by people."""
    weak: bool = False
    """Guessed: it may reach the other one, or a name looks like it."""


class Look(Noun):
    """One place that was looked in: when, what was seen there, and what could not be."""

    place: str
    at: Instant
    services: tuple[str, ...] = ()
    resources: int = 0
    unseen: tuple[str, ...] = ()
    """What could not be read there, and why, a line for each part."""
    kept_from: Instant | None = None
    """When that was seen last, where what was seen then is still taken to be there."""


class ServiceGraph(Noun):
    """All known services. A dependency may name a service that is not in the graph; cycles are allowed."""

    services: tuple[Service, ...] = ()
    edges: tuple[Edge, ...] = ()
    """How dependencies were found; every edge is also in its caller's `depends_on`."""
    looks: tuple[Look, ...] = ()
    """Where discovery has looked; none where nobody looked."""

    def __iter__(self) -> Iterator[Service]:  # type: ignore[override]  # iterating the services is what callers mean
        return iter(self.services)

    def service(self, name: str) -> Service | None:
        return self._by_name.get(name.casefold())

    def owner_of(self, resource: Resource) -> Service | None:
        return self._by_resource.get(resource.key)

    @cached_property
    def _by_name(self) -> dict[str, Service]:
        return {each.name.casefold(): each for each in reversed(self.services)}

    @cached_property
    def _by_resource(self) -> dict[str, Service]:
        return {resource.key: each for each in reversed(self.services) for resource in each.resources}

    @cached_property
    def _callers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in self.services:
            for called in each.depends_on:
                found.setdefault(called, []).append(each.name)
        return found

    @cached_property
    def _called(self) -> dict[str, tuple[str, ...]]:
        return {each.name: each.depends_on for each in self.services}

    @cached_property
    def _reasons(self) -> dict[tuple[str, str], tuple[Edge, ...]]:
        found: dict[tuple[str, str], tuple[Edge, ...]] = {}
        for edge in self.edges:
            pair = (edge.caller, edge.called)
            found[pair] = (*found.get(pair, ()), edge)
        return found

    def reasons(self, caller: str, called: str) -> tuple[Edge, ...]:
        """How it was found that one depends on the other, the surest first; empty where people wrote it."""
        return tuple(sorted(self._reasons.get((caller, called), ()), key=lambda edge: edge.weak))

    def guessed(self, caller: str, called: str) -> bool:
        """Whether nothing sure is known of that dependency."""
        reasons = self._reasons.get((caller, called), ())
        return bool(reasons) and all(edge.weak for edge in reasons)

    @property
    def seen_at(self) -> datetime | None:
        """The oldest look that is in here; None where nobody looked."""
        return min((look.at for look in self.looks), default=None)

    def around(self, names: Iterable[str], most: int) -> "ServiceGraph":
        """The whole graph where it is small; else `most` services, those nearest to `names` in either direction."""
        if len(self.services) <= most:
            return self
        near = dict.fromkeys(names, 0)
        for name in tuple(near):
            for other, hops in (*self.dependencies(name).items(), *self.dependents(name).items()):
                near[other] = min(near.get(other, hops), hops)
        near |= {each.name: len(near) for each in self.services if each.name not in near}
        kept = set(sorted(near, key=lambda name: near[name])[:most])
        return self.model_copy(
            update={
                "services": tuple(each for each in self.services if each.name in kept),
                "edges": tuple(edge for edge in self.edges if {edge.caller, edge.called} <= kept),
            }
        )

    def dependencies(self, name: str, hops: int = 3) -> dict[str, int]:
        """What `name` calls, directly or through others, with the distance in hops (1 = directly)."""
        return self._walk(name, hops, lambda each: self._called.get(each, ()))

    def dependents(self, name: str, hops: int = 3) -> dict[str, int]:
        """What calls `name`, directly or through others, with the distance in hops."""
        return self._walk(name, hops, lambda each: self._callers.get(each, ()))

    @staticmethod
    def _walk(name: str, hops: int, step: _Step) -> dict[str, int]:
        found: dict[str, int] = {}
        edge = [name]
        for distance in range(1, hops + 1):
            following = [n for each in edge for n in step(each)]
            edge = [n for n in dict.fromkeys(following) if n != name and n not in found]
            found.update(dict.fromkeys(edge, distance))
        return found

    def merged(self, found: "ServiceGraph") -> "ServiceGraph":
        """This graph with what discovery found added: what is written here wins, nothing is removed."""
        found = self._in_written_names(found)
        names = list(dict.fromkeys([s.name for s in self.services] + [s.name for s in found.services]))
        claimed = {r.key for s in self.services for r in s.resources}
        return ServiceGraph(
            services=tuple(self._merge_one(name, found, claimed) for name in names),
            edges=tuple(dict.fromkeys((*self.edges, *found.edges))),
            looks=(*self.looks, *found.looks),
        )

    def _in_written_names(self, found: "ServiceGraph") -> "ServiceGraph":
        """`found` with what it calls otherwise named as here: a service is the one that its first resource is of."""
        known = {s.name: self._written_name(s) for s in found.services}
        renamed: dict[str, Service] = {}
        for each in found.services:
            name = known[each.name]
            before = renamed.get(name, Service(name=name))
            calls = [called for called in (known.get(d, d) for d in each.depends_on) if called != name]
            renamed[name] = (each if name not in renamed else before).model_copy(
                update={
                    "name": name,
                    "depends_on": tuple(dict.fromkeys((*before.depends_on, *calls))),
                    "resources": tuple({r.key: r for r in (*before.resources, *each.resources)}.values()),
                }
            )
        edges = [
            edge.model_copy(
                update={"caller": known.get(edge.caller, edge.caller), "called": known.get(edge.called, edge.called)}
            )
            for edge in found.edges
        ]
        looks = [
            look.model_copy(update={"services": tuple(dict.fromkeys(known.get(n, n) for n in look.services))})
            for look in found.looks
        ]
        return ServiceGraph(
            services=tuple(renamed.values()),
            edges=tuple(edge for edge in edges if edge.caller != edge.called),
            looks=tuple(looks),
        )

    def _written_name(self, found: Service) -> str:
        owner = self.owner_of(found.resources[0]) if found.resources else None
        written = self.service(found.name) or owner
        return found.name if written is None else written.name

    def _merge_one(self, name: str, found: "ServiceGraph", claimed: set[str]) -> Service:
        mine, theirs = self.service(name), found.service(name)
        if mine is None or theirs is None:
            kept = mine or theirs
            assert kept is not None
            if mine is None:
                kept = kept.model_copy(update={"resources": tuple(r for r in kept.resources if r.key not in claimed)})
            return kept
        extra = tuple(r for r in theirs.resources if r.key not in claimed)
        calls = tuple(dict.fromkeys((*mine.depends_on, *theirs.depends_on)))
        filled = {
            field: getattr(mine, field) or getattr(theirs, field)
            for field in ("owner", "group", "slack_channel", "oncall", "tier", "repository")
        }
        return mine.model_copy(update={"resources": (*mine.resources, *extra), "depends_on": calls, **filled})

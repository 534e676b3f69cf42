"""The first minute: each part may fail alone and says so, and the rest is found all the same."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest

from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.observation import Alarm, Series
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import ReadMetrics, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.errors import KnowledgeError, ProviderError
from tests.investigation import troubles
from tests.investigation.running import Running
from tests.investigation.town import NOW, Effect, Town, market, minutes_ago

PASSAGE = Passage(document="orders.md", kind="runbook", title="Orders", text="Roll back.", score=0.9)


class Memory:
    """Knows one passage, or cannot be read."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.wanted: list[tuple[str, tuple[str, ...]]] = []

    async def search(self, text: str, *, services: Iterable[str] = (), top: int = 8) -> Sequence[Passage]:
        self.wanted.append((text, tuple(services)))
        if self.problem:
            raise KnowledgeError(self.problem)
        return [PASSAGE]

    async def steps(self, passage: Passage) -> Sequence[str]:
        return ["Look.", "Roll back."]


class Blind(Town):
    """A town in which nothing can be discovered."""

    async def discover(self) -> ServiceGraph:
        raise ProviderError("ecs: AccessDenied on ListClusters")


class Daily(Town):
    """A town in which every day is like the other."""

    def _one(self, resource: Resource, signal: Signal, query: ReadMetrics) -> Series:
        back = timedelta(days=round((NOW - query.window.end) / timedelta(days=1)))
        today = TimeWindow(start=query.window.start + back, end=query.window.end + back)
        series = super()._one(resource, signal, query.model_copy(update={"window": today}))
        return series.model_copy(update={"times": tuple(t - back.total_seconds() for t in series.times)})


async def triaged(
    town: Town, request: Request | str = "storefront is failing", memory: Memory | None = None
) -> Investigation:
    return (await Running(town, knowledge=memory).triaged(request)).refresh()


async def test_all_of_it() -> None:
    memory = Memory()
    case = await triaged(troubles.bad_deployment(), memory=memory)
    assert case.incident is not None
    assert case.incident.services == ("storefront",)
    assert case.scope[0] == "storefront"
    assert "orders" in case.scope
    assert case.symptom is not None
    assert (case.symptom.service, case.symptom.moved) == ("storefront", "rises")
    onset = case.incident.window.onset
    assert onset is not None
    assert abs(onset - minutes_ago(21)) <= timedelta(minutes=2)
    assert case.changes is not None
    assert {change.service for change in case.changes.changes} == {"orders", "search"}
    assert case.knowledge is not None
    assert case.knowledge.passages == (PASSAGE,)
    assert "storefront is failing" in memory.wanted[0][0]
    assert memory.wanted[0][1][0] == "storefront"


@pytest.mark.parametrize(
    "denied", ["read_metrics", "list_changes", "find_alarms", "search_logs", "list_events", "read_state"]
)
async def test_one_permission_is_missing(denied: str) -> None:
    town = troubles.bad_deployment()
    town.denied = frozenset({denied})
    case = await Running(town).investigate("storefront is failing")
    assert case.verdict is not None, "a verdict there is in any case"
    assert case.incident is not None
    assert case.knowledge is not None
    cause = case.verdict.root_cause
    assert cause is None or cause.failure_mode in ("bad_deployment", "none") or denied == "list_changes", cause
    if denied == "read_metrics":
        assert cause is None, "unseen is not well"
        assert case.status == "inconclusive"
    if denied in ("list_changes", "search_logs", "read_metrics"):
        assert any(f"needs town:{denied}" in unknown for unknown in case.verdict.unknowns), case.verdict.unknowns


async def test_everything_is_denied() -> None:
    town = troubles.bad_deployment()
    town.denied = frozenset({"read_metrics", "list_changes", "find_alarms", "search_logs", "list_events", "read_state"})
    case = await Running(town).investigate("storefront is failing")
    assert case.status == "inconclusive"
    assert case.verdict is not None
    assert case.verdict.next_step
    assert all(each.weight == 0 for each in case.evidence.values())


async def test_what_cannot_be_discovered_is_said_and_what_is_written_is_used() -> None:
    told = troubles.bad_deployment()
    town = Blind(told.graph, effects=told.effects, changes=told.changes, lines=told.lines)
    case = await Running(town).investigate("storefront is failing")
    assert any("AccessDenied on ListClusters" in note.text and note.level == "warning" for note in case.notes)
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert any("AccessDenied on ListClusters" in unknown for unknown in case.verdict.unknowns)


async def test_the_memory_cannot_be_read() -> None:
    case = await Running(troubles.bad_deployment(), knowledge=Memory("chroma/ is of another version")).investigate(
        "orders errors"
    )
    assert case.knowledge is not None
    assert (case.knowledge.status, case.knowledge.message) == (Status.error, "chroma/ is of another version")
    assert case.verdict is not None
    assert any("another version" in unknown for unknown in case.verdict.unknowns)


async def test_no_memory_is_no_trouble() -> None:
    case = await triaged(market())
    assert case.knowledge is not None
    assert case.knowledge.status is Status.no_data


def errors_alarm(**more: object) -> Alarm:
    subject = Resource(type=ResourceType.target_group, name="orders-tg")
    fields = {"name": "orders-5xx", "state": "alarm", "since": minutes_ago(18), "subject": subject, "signal": "errors"}
    return Alarm.model_validate({**fields, "threshold": 50, "comparison": "above", **more})


async def test_the_bare_name_of_an_alarm_is_enough() -> None:
    town = troubles.bad_deployment()
    town.alarms = [errors_alarm()]
    case = await Running(town).investigate("orders-5xx")
    assert case.incident is not None
    assert case.incident.alarm == town.alarms[0]
    assert case.incident.services == ("orders",)
    assert case.symptom is not None
    assert (case.symptom.resource.name, case.symptom.signal) == ("orders-tg", Signal.errors)
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.service == "orders"


async def test_an_alarm_that_fires_elsewhere_is_not_taken_for_the_one_that_is_meant() -> None:
    town = troubles.bad_deployment()
    town.alarms = [errors_alarm(name="search-slow", subject=Resource(type=ResourceType.target_group, name="search-tg"))]
    case = await triaged(town, "orders errors")
    assert case.incident is not None
    assert case.incident.alarm is None


async def test_a_move_away_from_the_threshold_is_not_what_the_alarm_complains_of() -> None:
    town = market()
    town.effects["orders-tg", Signal.latency] = Effect(0.02, minutes_ago(20))
    town.alarms = [errors_alarm(signal="latency", threshold=0.5)]
    case = await triaged(town, "orders-5xx")
    assert case.symptom is not None
    assert case.symptom.moved == "steady"


async def test_an_alarm_of_long_ago_is_looked_at_in_its_own_time() -> None:
    town = market()
    town.alarms = [errors_alarm(since=NOW - timedelta(days=3))]
    case = await triaged(town, "orders-5xx")
    assert case.incident is not None
    assert case.incident.window.holds(NOW - timedelta(days=3))
    assert case.incident.window.end < NOW - timedelta(days=2)


async def test_the_service_that_was_named_by_option_wins() -> None:
    case = await triaged(market(), Request(text="storefront and cart are slow", service="search"))
    assert case.incident is not None
    assert case.incident.services == ("search",)
    unknown = await Running(market()).investigate(Request(text="slow", service="nobody"))
    assert unknown.status == "inconclusive"


async def test_what_looks_alike_the_day_before_is_usual() -> None:
    told = market()
    town = Daily(told.graph)
    town.effects["search-tg", Signal.latency] = Effect(0.9, minutes_ago(25))
    case = await triaged(town, "search is slow")
    assert case.symptom is not None
    assert case.symptom.moved == "steady"
    assert case.incident is not None
    assert case.incident.window.onset is None
    told.effects = town.effects
    unusual = await triaged(told, "search is slow")
    assert unusual.symptom is not None
    assert unusual.symptom.moved == "rises"


async def test_a_town_without_services_is_looked_at_through_nothing() -> None:
    town = market()
    town.graph = ServiceGraph()
    case = await triaged(town)
    assert case.symptom is None
    assert case.changes is not None
    assert case.changes.status is Status.no_data


async def test_a_word_that_resembles_a_name_is_less_than_an_alarm_that_rings() -> None:
    town = market()
    function = Resource(type=ResourceType.lambda_function, name="invoices")
    town.effects["invoices", Signal.throttles] = Effect(120, minutes_ago(30))
    town.alarms.append(
        Alarm(name="invoices-throttles", state="alarm", since=minutes_ago(28), subject=function,
              signal=Signal.throttles, threshold=5, comparison="above")
    )  # fmt: skip
    running = Running(town)
    vague = (await running.triaged("our storefronts show receipts minutes late")).refresh()
    assert vague.incident is not None
    assert vague.incident.alarm is not None
    named = (await running.triaged("search finds nothing")).refresh()
    assert named.incident is not None
    assert named.incident.services == ("search",), "its whole name stands there"

"""Several vendors, one question: who is asked for what, and what their answers are together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.observation import Alarm, Series
from runbook_bot.domain.ports import Check
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import FindAlarms, Query, ReadMetrics, ReadState, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.world import World

END = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
WINDOW = TimeWindow(start=END - timedelta(hours=1), end=END)
POD = Resource(type=ResourceType.kubernetes_workload, name="web")
TABLE = Resource(type=ResourceType.dynamodb_table, name="carts")


class Vendor:
    """Knows one type of resource, and one alarm; says no when it is told to."""

    def __init__(self, name: str, type: ResourceType, failing: Status | None = None) -> None:
        self._name, self._type, self._failing = name, type, failing
        self.asked: list[Query] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def tools(self) -> Sequence[type[Query]]:
        return ()

    def understand(self, question: Question) -> Sequence[Route]:
        del question
        return ()

    def answers(self, query: Query) -> bool:
        if isinstance(query, ReadMetrics):
            return any(each.type is self._type for each in query.resources)
        return isinstance(query, FindAlarms)

    async def ask(self, query: Query) -> Result:
        self.asked.append(query)
        if self._failing:
            return Result(status=self._failing, source=self.name, where=self.name, message="it says no")
        if isinstance(query, ReadMetrics):
            series = tuple(
                Series(name="cpu", signal=Signal.cpu, resource=each, times=(1.0,), values=(2.0,))
                for each in query.resources
            )
            return Result(status=Status.ok, source=self.name, where=self.name, series=series)
        alarms = (Alarm(name=f"{self.name} alarm", state="alarm"),)
        return Result(status=Status.ok, source=self.name, where=self.name, alarms=alarms, age=3)

    async def discover(self) -> ServiceGraph:
        return ServiceGraph()

    def forget(self) -> None: ...

    async def prepare(self) -> None: ...

    async def check(self) -> Sequence[Check]:
        return ()


async def test_each_resource_goes_to_whoever_knows_it() -> None:
    clouds, pods = Vendor("cloud", ResourceType.dynamodb_table), Vendor("pods", ResourceType.kubernetes_workload)
    result = await World([clouds, pods]).ask(ReadMetrics(resources=(TABLE, POD), window=WINDOW))
    assert result.status is Status.ok
    assert [each.resource for each in result.series] == [TABLE, POD]
    assert result.source == "cloud + pods"
    assert [query.resources for query in clouds.asked if isinstance(query, ReadMetrics)] == [(TABLE,)]
    assert [query.resources for query in pods.asked if isinstance(query, ReadMetrics)] == [(POD,)]


async def test_alarms_are_everybodys() -> None:
    first, second = Vendor("a", ResourceType.dynamodb_table), Vendor("b", ResourceType.kubernetes_workload)
    result = await World([first, second]).ask(FindAlarms())
    assert [each.name for each in result.alarms] == ["a alarm", "b alarm"]
    assert result.age == 3


@pytest.mark.parametrize(
    ("failing", "status"),
    [((Status.denied, None), Status.truncated), ((Status.denied, Status.denied), Status.denied),
     ((Status.denied, Status.error), Status.error), ((None, Status.no_data), Status.ok),
     ((Status.no_data, Status.no_data), Status.no_data)],
)  # fmt: skip
async def test_what_one_of_them_could_not_see_is_said(failing: tuple[Status | None, ...], status: Status) -> None:
    types = (ResourceType.dynamodb_table, ResourceType.kubernetes_workload)
    vendors = [Vendor(name, *more) for name, *more in zip("ab", types, failing, strict=True)]  # type: ignore[arg-type]  # three of three
    result = await World(vendors).ask(ReadMetrics(resources=(TABLE, POD), window=WINDOW))
    assert result.status is status
    assert ("it says no" in result.message) == (status is not Status.ok)


async def test_nobody_able_is_a_clear_error() -> None:
    result = await World([Vendor("a", ResourceType.dynamodb_table)]).ask(ReadState(resource=POD))
    assert (result.status, result.message) == (Status.error, "no configured provider answers this")

"""What an answer says about a prediction: measured, never guessed; a failed question says nothing either way."""

from datetime import timedelta

import pytest

from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, Prediction
from runbook_bot.domain.observation import Fact, LogLine
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    ReadState,
    Result,
    SearchLogs,
    Status,
)
from runbook_bot.domain.vocabulary import FailureMode, ResourceType, Signal
from runbook_bot.investigation.causal import around_onset, yesterday
from runbook_bot.reasoning.judging import READERS, judge
from tests.investigation import troubles
from tests.investigation.running import Running
from tests.investigation.town import Effect, Town, deploy, market, minutes_ago

R, S = ResourceType, Signal
ORDERS = Resource(type=R.ecs_service, cluster="prod", name="orders")
TARGETS = Resource(type=R.target_group, name="orders-tg")
LOGS = Resource(type=R.log_group, name="/ecs/orders")
DATABASE = Resource(type=R.rds_instance, name="orders-db")
SUPPORTS, REFUTES, NEUTRAL, UNKNOWN = Direction.supports, Direction.refutes, Direction.neutral, Direction.unknown


def prediction(about: str, expect: str, **more: object) -> Prediction:
    text = {"text": "it is seen", "seen": 8.0, "unseen": 0.1}
    return Prediction.model_validate({"about": about, "expect": expect, **text, **more})


async def judged(
    town: Town, made: Prediction, complaint: str = "orders errors", answer: Result | None = None
) -> Evidence:
    """The prediction tested on the town: the question that belongs to it is asked, and the answer judged."""
    case = (await Running(town).triaged(complaint)).refresh()
    window = around_onset(case)
    resource = made.resource or ORDERS
    query: Query
    match made.about:
        case "logs":
            query = SearchLogs(resource=resource, window=window, any_of=made.words)
        case "events":
            query = ListEvents(resource=resource, window=window)
        case "state":
            query = ReadState(resource=resource)
        case "changes" | "mechanism":
            query = ListChanges(resources=(ORDERS,), window=window)
        case "history":
            query = yesterday(case) or FindAlarms()
        case _:
            assert case.incident is not None
            query = ReadMetrics(resources=(TARGETS, ORDERS), window=case.incident.window)
    hypothesis = Hypothesis(id="H1", statement="it", failure_mode=FailureMode.bad_deployment, prior=0.3)
    return judge(case, hypothesis, made, query, answer or await town.ask(query))


EVERY = [
    prediction("metric", "rises", resource=TARGETS, signal="errors"),
    prediction("logs", "present", resource=LOGS),
    prediction("events", "present", resource=ORDERS, words=("killed",)),
    prediction("changes", "present", service="orders", fact="deployment"),
    prediction("mechanism", "present", service="orders", fact="deployment"),
    prediction("state", "at_limit", resource=DATABASE, signal="connections", fact="max_connections"),
    prediction("symptom", "rises"),
    prediction("vitals", "rises", service="orders"),
    prediction("dependencies", "steady", service="orders"),
    prediction("history", "steady"),
]


def test_every_kind_of_prediction_has_a_reader() -> None:
    assert {made.about for made in EVERY} == READERS.keys()


@pytest.mark.parametrize("status", [Status.denied, Status.error])
@pytest.mark.parametrize("made", EVERY, ids=[made.about for made in EVERY])
async def test_what_could_not_be_asked_counts_neither_way(made: Prediction, status: Status) -> None:
    refused = Result(status=status, source="aws.x", where="x in us-east-1", message="needs x:Describe")
    found = await judged(troubles.bad_deployment(), made, answer=refused)
    assert (found.direction, found.weight, found.strength) == (UNKNOWN, 0.0, Strength.none)
    assert found.status is status
    assert "needs x:Describe" in found.summary
    assert made.text in found.summary


@pytest.mark.parametrize("about", ["logs", "events", "state", "history"])
async def test_an_empty_answer_is_never_strong_support(about: str) -> None:
    made = next(each for each in EVERY if each.about == about)
    nothing = Result(status=Status.no_data, source="aws.x", where="x in us-east-1")
    found = await judged(troubles.bad_deployment(), made, answer=nothing)
    assert found.strength is not Strength.strong or found.direction is not SUPPORTS


CPU, MEMORY = ("orders", S.cpu), ("orders", S.memory)
AT = minutes_ago(22)
METRICS = [
    ("rises", "cpu", Effect(90, AT), {}, SUPPORTS),
    ("rises", "cpu", None, {}, REFUTES),
    ("rises", "cpu", Effect(5, AT), {}, REFUTES),
    ("falls", "cpu", Effect(5, AT), {}, SUPPORTS),
    ("falls", "cpu", Effect(90, AT), {}, REFUTES),
    ("steady", "cpu", None, {}, SUPPORTS),
    ("steady", "cpu", Effect(90, AT), {}, REFUTES),
    ("steady", "cpu", Effect(45, AT), {"ratio": 1.5}, SUPPORTS),
    ("rises", "cpu", Effect(50, AT), {"ratio": 2.0}, REFUTES),
    ("at_limit", "memory", Effect(97, AT), {"limit": 90.0}, SUPPORTS),
    ("at_limit", "memory", Effect(70, AT), {"limit": 90.0}, REFUTES),
    ("at_limit", "memory", None, {"limit": 90.0}, REFUTES),
    ("rises", "cpu", Effect(90, minutes_ago(100), until=minutes_ago(60)), {}, REFUTES),
    ("steady", "cpu", Effect(90, minutes_ago(100), until=minutes_ago(60)), {}, SUPPORTS),
    ("rises", "disk_free", None, {}, UNKNOWN),
]


@pytest.mark.parametrize(("expect", "signal", "effect", "more", "direction"), METRICS)
async def test_a_metric(
    expect: str, signal: str, effect: Effect | None, more: dict[str, float], direction: Direction
) -> None:
    town = troubles.bad_deployment()
    if effect is not None:
        town.effects["orders", Signal(signal)] = effect
    found = await judged(town, prediction("metric", expect, resource=ORDERS, signal=signal, **more))
    assert found.direction is direction, found.summary


async def test_a_move_after_the_trouble_is_a_consequence_and_worth_less() -> None:
    weights = []
    for minutes in (25, 8):
        town = troubles.bad_deployment()
        town.effects[CPU] = Effect(95, minutes_ago(minutes))
        weights.append((await judged(town, prediction("metric", "rises", resource=ORDERS, signal="cpu"))).weight)
    before, after = weights
    assert 0 < after < before / 2


@pytest.mark.parametrize(
    ("level", "limit", "direction"),
    [(200, 200.0, SUPPORTS), (90, 200.0, REFUTES), (200, None, UNKNOWN), (200, "many", UNKNOWN), (200, 0, UNKNOWN)],
)
async def test_a_limit(level: float, limit: object, direction: Direction) -> None:
    town = troubles.bad_deployment()
    town.effects["orders-db", S.connections] = Effect(level, minutes_ago(24))
    made = prediction("state", "at_limit", resource=DATABASE, signal="connections", fact="max_connections")
    facts = () if limit is None else (Fact.model_validate({"name": "max_connections", "value": limit}),)
    answer = Result(status=Status.ok, source="aws.rds", where="rds", facts=facts)
    assert (await judged(town, made, answer=answer)).direction is direction


@pytest.mark.parametrize(
    ("text", "minutes", "words", "expect", "direction"),
    [
        ("ERROR shard 7 is gone", 22, (), "present", SUPPORTS),
        ("ERROR shard 7 is gone", 22, (), "absent", REFUTES),
        ("ERROR shard 7 is gone", 170, (), "present", REFUTES),
        ("INFO shard 7 is there", 22, (), "present", REFUTES),
        ("ERROR shard 7 is gone", 22, ("Shard 7",), "present", SUPPORTS),
        ("ERROR shard 7 is gone", 22, ("shard 8",), "present", REFUTES),
        ("ERROR shard 7 is gone", 170, ("shard 7",), "present", REFUTES),
        ("ERROR orders-db does not answer", 22, (), "present", REFUTES),
    ],
    ids=["new", "new, none expected", "old", "no complaint", "words", "other words", "old words", "blames another"],
)
async def test_logs(text: str, minutes: int, words: tuple[str, ...], expect: str, direction: Direction) -> None:
    town = market()
    town.effects["orders-tg", S.errors] = Effect(180, minutes_ago(22))
    town.log("/ecs/orders", text, minutes_ago(minutes), 5)
    found = await judged(town, prediction("logs", expect, resource=LOGS, words=words))
    assert found.direction is direction, found.summary


async def test_without_an_onset_logs_cannot_be_told_apart() -> None:
    found = await judged(market(), prediction("logs", "present", resource=LOGS))
    assert found.direction is UNKNOWN


async def test_a_hostile_line_is_quoted_on_one_line_bounded_and_without_its_secret() -> None:
    town = troubles.bad_deployment()
    town.lines["/ecs/orders"] = []
    nasty = "ERROR password=hunter2hunter2 failed\n\n*bold* <!channel> " + "x" * 5000
    town.log("/ecs/orders", nasty, AT, 5)
    found = await judged(town, prediction("logs", "present", resource=LOGS))
    assert "hunter2" not in found.summary
    assert "\n" not in found.summary
    assert len(found.summary) < 500


@pytest.mark.parametrize(("text", "direction"), [("container killed", SUPPORTS), ("steady state", REFUTES)])
async def test_events(text: str, direction: Direction) -> None:
    town = troubles.bad_deployment()
    town.events["orders"] = [LogLine(at=AT - timedelta(minutes=1), text=text)]
    made = prediction("events", "present", resource=ORDERS, words=("Killed",))
    assert (await judged(town, made)).direction is direction


@pytest.mark.parametrize(
    ("changes", "expect", "direction"),
    [
        ([deploy("orders", minutes_ago(24))], "present", SUPPORTS),
        ([deploy("orders", minutes_ago(24))], "absent", REFUTES),
        ([deploy("orders", minutes_ago(10))], "present", REFUTES),
        ([deploy("orders", minutes_ago(170))], "present", REFUTES),
        ([deploy("orders", minutes_ago(24), "configuration")], "present", REFUTES),
        ([deploy("cart", minutes_ago(24))], "present", REFUTES),
        ([], "absent", SUPPORTS),
    ],
    ids=["before", "before, none expected", "after", "long before", "another kind", "another service", "none"],
)
async def test_changes(changes: list[object], expect: str, direction: Direction) -> None:
    town = troubles.bad_deployment()
    town.changes = changes  # type: ignore[assignment]  # a list of changes as parametrize gives it
    found = await judged(town, prediction("changes", expect, service="orders", fact="deployment"))
    assert found.direction is direction, found.summary


async def test_where_changes_were_denied_none_is_not_known() -> None:
    town = troubles.bad_deployment()
    town.denied = frozenset({"list_changes"})
    found = await judged(town, prediction("changes", "absent", service="orders", fact="deployment"))
    assert found.direction is UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "direction"),
    [(23, SUPPORTS), (80, REFUTES), (None, NEUTRAL)],
    ids=["with it", "before it", "nothing short"],
)
async def test_what_runs_short_began_with_the_change_or_not(minutes: int | None, direction: Direction) -> None:
    town = troubles.bad_deployment()
    if minutes is not None:
        town.effects[MEMORY] = Effect(97, minutes_ago(minutes))
    made = prediction("mechanism", "present", service="orders", fact="deployment")
    assert (await judged(town, made)).direction is direction


@pytest.mark.parametrize(
    ("town", "made", "direction"),
    [
        (troubles.bad_deployment(), prediction("symptom", "rises"), SUPPORTS),
        (troubles.bad_deployment(), prediction("symptom", "steady"), REFUTES),
        (market(), prediction("symptom", "steady"), SUPPORTS),
        (market(), prediction("symptom", "rises"), REFUTES),
        (troubles.bad_deployment(), prediction("vitals", "rises", service="orders"), SUPPORTS),
        (troubles.bad_deployment(), prediction("vitals", "steady", service="orders"), REFUTES),
        (troubles.bad_deployment(), prediction("vitals", "rises", service="orders", signals=("memory",)), REFUTES),
        (market(), prediction("vitals", "steady", service="orders"), SUPPORTS),
        (market(), prediction("vitals", "steady", service="nobody"), UNKNOWN),
        (troubles.bad_deployment(), prediction("dependencies", "steady", service="orders"), SUPPORTS),
        (troubles.connection_exhaustion(), prediction("dependencies", "steady", service="orders"), REFUTES),
        (
            troubles.connection_exhaustion(),
            prediction("dependencies", "present", service="orders", fact="orders-db"),
            SUPPORTS,
        ),
        (troubles.bad_deployment(), prediction("dependencies", "present", service="orders", fact="orders-db"), REFUTES),
        (troubles.bad_deployment(), prediction("dependencies", "present", service="orders", fact="stripe"), UNKNOWN),
        (market(), prediction("dependencies", "steady", service="search"), NEUTRAL),
    ],
)
async def test_the_surroundings(town: Town, made: Prediction, direction: Direction) -> None:
    found = await judged(town, made)
    assert found.direction is direction, found.summary


async def test_third_parties_cannot_be_said_to_have_been_well() -> None:
    made, weights = prediction("dependencies", "steady", service="search"), []
    for calls in (("stripe",), ("stripe", "sessions"), ("sessions",)):
        town = market()
        services = [s.model_copy(update={"depends_on": calls}) if s.name == "search" else s for s in town.graph]
        town.graph = ServiceGraph(services=tuple(services))
        found = await judged(town, made, "search is slow")
        weights.append(found.weight)
        assert (found.direction is UNKNOWN) == (calls == ("stripe",))
    assert 0 == weights[0] < weights[1] < weights[2]


async def test_the_day_before() -> None:
    town = troubles.bad_deployment()
    assert (await judged(town, prediction("history", "steady"))).direction is REFUTES
    assert (await judged(market(), prediction("history", "steady"))).direction is SUPPORTS


async def test_the_window_of_what_was_asked_is_kept_with_the_evidence() -> None:
    found = await judged(troubles.bad_deployment(), EVERY[1])
    assert found.window is not None
    assert found.window.onset is not None
    assert found.digest.startswith("sha256:")
    assert found.expected == "it is seen"

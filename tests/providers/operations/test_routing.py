"""From words to typed operations: every phrase finds its own, names of the graph become arguments."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.ask.reading import subject_of
from runbook_bot.investigation.ask.typed import SURE, chosen, close
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.operations.routing import MOST, routes
from runbook_bot.providers.aws.place import Place
from tests.providers.conftest import NOW

CART = Service(
    name="cart",
    resources=(
        Resource(type=R.ecs_service, cluster="shop", name="cart-api"),
        Resource(type=R.sqs_queue, name="cart-orders"),
        Resource(type=R.sqs_queue, name="cart-refunds"),
    ),
)
LEDGER = Service(name="ledger", resources=(Resource(type=R.rds_instance, name="ledger-1"),))
GRAPH = ServiceGraph(services=(CART, LEDGER))


class Tasks(Operation):
    """Tasks that were stopped."""

    kind: ClassVar[str] = "aws.ecs.stopped"
    service = "ecs"
    calls = ("ListTasks",)
    words = ("stopped tasks", "why did tasks stop")

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str | None = Field(default=None, description="Name of the service; none means all of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        raise AssertionError


class Messages(Operation):
    """Messages that wait in a queue."""

    kind: ClassVar[str] = "aws.sqs.waiting"
    service = "sqs"
    calls = ("GetQueueAttributes",)
    words = ("waiting messages", "stopped consumers")

    queue: str = Field(description="Name of the queue")
    order: Literal["oldest", "newest"] = Field(default="oldest", description="Which first")
    window: TimeWindow = Field(description="When")
    limit: int = Field(default=10, description="How many")
    hours: int | None = Field(default=None, description="How far back")
    deleted: bool = Field(default=False, description="Deleted ones too")

    async def answer(self, place: Place, now: datetime) -> Result:
        raise AssertionError


class Stacks(Operation):
    """Events of a stack."""

    kind: ClassVar[str] = "aws.cloudformation.events"
    service = "cloudformation"
    calls = ("DescribeStackEvents",)
    words = ("stack events",)

    name: str = Field(description="Name of the stack")

    async def answer(self, place: Place, now: datetime) -> Result:
        raise AssertionError


OWN = (Tasks, Messages, Stacks)


def asked(text: str, graph: ServiceGraph = GRAPH, window: TimeWindow | None = None) -> Question:
    subject = subject_of(text, graph)
    resources = [*(r for each in subject.services for r in each.resources), *subject.resources]
    return Question(text, graph, NOW, [each.name for each in subject.services], resources, window)


def first(text: str, **more: Any) -> Route:
    return routes(asked(text, **more), OWN)[0]


PHRASES = [(each, phrase) for each in operations() for phrase in each.words]


@pytest.mark.parametrize(("operation", "phrase"), PHRASES, ids=lambda each: getattr(each, "kind", each))
def test_every_phrase_finds_its_operation_or_is_told_to_be_ambiguous(operation: type[Operation], phrase: str) -> None:
    found = routes(Question(phrase, ServiceGraph(), NOW), operations())
    best, alike = chosen(found), [each.kind for each in close(found)]
    assert operation.kind in alike, f"“{phrase}” finds {[(each.kind, each.score) for each in found]}"
    if best is not None and best.kind != operation.kind:
        lacking = next(each for each in found if each.kind == operation.kind)
        assert not lacking.queries, f"“{phrase}” is taken for {best.kind}, which is no likelier"


def test_most_phrases_are_clear() -> None:
    unclear = [phrase for operation, phrase in PHRASES
               if chosen(routes(Question(phrase, ServiceGraph(), NOW), operations())) is None]  # fmt: skip
    assert len(unclear) <= len(PHRASES) / 10, unclear


def test_a_phrase_in_a_sentence_is_found_and_the_service_fills_the_arguments() -> None:
    route = first("please show me the stopped tasks of cart")
    assert route.kind == "aws.ecs.stopped"
    assert route.whole
    assert route.queries == (Tasks(cluster="shop", name="cart-api"),)


def test_a_resource_that_is_named_alone_is_enough() -> None:
    assert first("stopped tasks of cart-api").queries == (Tasks(cluster="shop", name="cart-api"),)


def test_without_a_service_every_cluster_that_is_known_is_asked() -> None:
    assert first("stopped tasks").queries == (Tasks(cluster="shop"),)


def test_a_value_beside_the_name_of_a_field_is_taken() -> None:
    assert first("stopped tasks in cluster blue/green-7").queries == (Tasks(cluster="blue/green-7"),)


def test_several_resources_are_several_questions() -> None:
    route = first("waiting messages of cart")
    assert [query.model_dump()["queue"] for query in route.queries] == ["cart-orders", "cart-refunds"]


def test_of_too_many_resources_the_rest_is_counted() -> None:
    queues = tuple(Resource(type=R.sqs_queue, name=f"queue-{n}") for n in range(20))
    route = first("waiting messages of cart", graph=ServiceGraph(services=(Service(name="cart", resources=queues),)))
    assert (len(route.queries), route.left_out) == (6, 14)


def test_times_choices_and_switches_are_read() -> None:
    window = TimeWindow(start=NOW - timedelta(hours=5), end=NOW)
    (query, *_) = first("newest waiting messages of cart, deleted too", window=window).queries
    assert query == Messages(queue="cart-orders", order="newest", window=window, hours=5, deleted=True)


def test_a_required_window_that_nobody_named_is_the_last_three_hours() -> None:
    (query, *_) = first("waiting messages of cart").queries
    assert isinstance(query, Messages)
    assert query.window == TimeWindow(start=NOW - timedelta(hours=3), end=NOW)


def test_a_number_beside_the_name_of_a_field_is_taken() -> None:
    (query, *_) = first("waiting messages of cart, limit 7").queries
    assert query.model_dump()["limit"] == 7
    (query, *_) = first("waiting messages of cart, limit seven").queries
    assert query.model_dump()["limit"] == 10


def test_what_a_resource_is_counts_as_said() -> None:
    route = routes(asked("who can reach ledger"), operations())[0]
    assert route.kind == "aws.ec2.who_may_reach"
    assert [query.model_dump()["resource"]["name"] for query in route.queries] == ["ledger-1"]


def test_of_two_that_are_alike_the_one_that_lacks_nothing_is_meant() -> None:
    one, other = Route("a.b", "", "x", 0.9, missing=("name",)), Route("a.c", "", "x", 0.9, queries=(Tasks(),))
    assert chosen([one, other]) == other
    assert chosen([one, one]) is None
    assert chosen([other, other]) is None


def test_the_only_name_in_the_text_is_the_name_that_is_meant() -> None:
    (query,) = routes(asked("alarm history of cart-5xx in eu-west-1"), operations())[0].queries
    assert query.model_dump()["name"] == "cart-5xx"


def test_what_is_missing_is_named() -> None:
    route = first("stack events")
    assert (route.queries, route.missing) == ((), ("name",))
    assert first("stack events of shop-network-7").queries == (Stacks(name="shop-network-7"),)
    assert first("stack events of “my stack”").queries == (Stacks(name="my stack"),)


def test_slips_of_the_finger_are_mended() -> None:
    assert first("stoped tasks of cart").kind == "aws.ecs.stopped"
    assert first("waitng mesages").kind == "aws.sqs.waiting"
    assert first("why is it stopping tasks").kind == "aws.ecs.stopped"


@pytest.mark.parametrize(
    "text",
    ["", " ", "?", "hello there", "the of and", "\u202e\u0000\ud800", "💥" * 2000, "a" * 10_000, "stop " * 2000,
     "x.y-z_1/" * 1200, "cluster " * 1200, "“" * 5000, "İ" * 3000],
)  # fmt: skip
def test_whatever_is_said_nothing_breaks_and_little_is_said(text: str) -> None:
    found = routes(asked(text), operations())
    assert len(found) <= MOST
    for each in found:
        assert 0 <= each.score <= 1


def test_nonsense_is_not_taken_for_a_question() -> None:
    for text in ("hello there", "thanks a lot", "lunch at noon", "who won the match"):
        assert all(each.score < SURE for each in routes(asked(text), operations())), text

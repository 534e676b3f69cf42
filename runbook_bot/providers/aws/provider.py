"""AWS as a source of answers: each neutral query goes to the part of AWS that can answer it."""

from collections.abc import Awaitable, Callable, Sequence

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.noun import Json
from runbook_bot.domain.ports import Check, Clock
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
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.alarms import find_alarms
from runbook_bot.providers.aws.changes import list_changes
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.discovery import discover
from runbook_bot.providers.aws.doctor import AccessReport, access_report, check
from runbook_bot.providers.aws.events.listing import EVENTFUL, list_events
from runbook_bot.providers.aws.log_groups import LOGGING
from runbook_bot.providers.aws.logs import search_logs
from runbook_bot.providers.aws.metric_table import VITAL_SIGNS
from runbook_bot.providers.aws.metrics import read_metrics
from runbook_bot.providers.aws.operations.operation import Operation, answered
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.operations.routing import routes
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.state import READERS, read_state

FIRST_ASKED = ("cloudwatch", "resourcegroupstaggingapi", "elbv2", "ecs", "lambda", "rds", "dynamodb", "sqs",
               "elasticache", "cloudtrail", "logs")  # fmt: skip
"""Services that every investigation asks before its first hypothesis, in about that order."""


class AwsProvider:
    """Reads AWS with whatever read-only credentials boto3 finds, or with the accounts' roles."""

    def __init__(self, settings: AwsSettings, clock: Clock) -> None:
        self._settings = settings
        self._places = Places(settings)
        self._clock = clock

    @property
    def name(self) -> str:
        return "aws"

    @property
    def tools(self) -> Sequence[type[Query]]:
        return operations()

    def understand(self, question: Question) -> Sequence[Route]:
        return routes(question, operations())

    def answers(self, query: Query) -> bool:
        match query:
            case Operation():
                return True
            case ReadMetrics():
                return any(_measured(each) for each in query.resources)
            case SearchLogs():
                return query.resource.type in LOGGING
            case ListEvents():
                return query.resource.type in EVENTFUL
            case ReadState():
                return query.resource.type in READERS
            case ListChanges():
                return any(_of_aws(each) for each in query.resources)
            case FindAlarms():
                return True
            case _:
                return False

    async def ask(self, query: Query) -> Result:
        match query:
            case _ if not self.answers(query):
                return _refused(query)
            case Operation():
                ask = self._places.ask if query.scope == "region" else self._at_home(query)
                return await ask(lambda place: answered(query, place, self._clock.now()))
            case ReadMetrics():
                mine = tuple(each for each in query.resources if _measured(each))
                metrics = query.model_copy(update={"resources": mine})
                return await self._places.ask(lambda place: read_metrics(place, metrics, self._clock.now()))
            case SearchLogs():
                return await self._places.ask(lambda place: search_logs(place, query))
            case ListEvents():
                return await self._places.ask(lambda place: list_events(place, query, self._clock.now()))
            case ReadState():
                return await self._places.ask(lambda place: read_state(place, query))
            case ListChanges():
                own = tuple(each for each in query.resources if _of_aws(each))
                changes = query.model_copy(update={"resources": own})
                return await self._places.ask(lambda place: list_changes(place, changes, self._clock.now()))
            case FindAlarms():
                return await self._places.ask(lambda place: find_alarms(place, query))
            case _:
                return _refused(query)

    def _at_home(self, query: Operation) -> Callable[[Callable[[Place], Awaitable[Result]]], Awaitable[Result]]:
        return lambda read: self._places.ask_accounts(read, query.home)

    async def discover(self) -> ServiceGraph:
        return await discover(self._places, self._clock.now())

    async def prepare(self) -> None:
        for place in self._places.all:
            await place.prepare(FIRST_ASKED)

    def forget(self) -> None:
        """Something was changed: what was read before is no answer any more."""
        self._places.forget()

    async def access_report(self) -> AccessReport:
        """For `doctor --aws`: the policies that do, and what the present credentials lack of them. Never raises."""
        return await access_report(self._places, self._settings)

    async def check(self) -> Sequence[Check]:
        return await check(self._places)


def _of_aws(resource: Resource) -> bool:
    """Kubernetes workloads and Prometheus metrics are other vendors'."""
    if resource.type is R.metric:
        return resource.promql is None and bool(resource.namespace)
    return resource.type is not R.kubernetes_workload


def _measured(resource: Resource) -> bool:
    return resource.type in VITAL_SIGNS and _of_aws(resource)


def _refused(query: Query) -> Result:
    arguments: Json = query.model_dump(mode="json")
    return Result(
        status=Status.error,
        source="aws",
        asked={"query": query.kind, "arguments": arguments},
        where=f"AWS, {query.kind}",
        message="AWS has no answer to this question about this type of resource",
    )

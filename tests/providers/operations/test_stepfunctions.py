"""Step Functions: which workflows fail, in which state and why, and the way of one execution."""

import json
from datetime import datetime, timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.stepfunctions import Execution, Executions, StateMachines
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

ARN = "arn:aws-us-gov:states:us-gov-west-1:1:stateMachine:fulfil"
RUN = "arn:aws-us-gov:states:us-gov-west-1:1:execution:fulfil:"
MINUTE = timedelta(minutes=1)


def machine(shop: Shop, name: str) -> str:
    definition = {"StartAt": "Ship", "States": {"Ship": {"Type": "Wait", "Seconds": 600, "End": True}}}
    told = shop.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/states"
    )
    return str(told["stateMachineArn"])


async def test_the_one_that_fails_most_first(shop: Shop, provider: AwsProvider) -> None:
    machine(shop, "calm")
    arn = machine(shop, "fulfil")
    shop.points("AWS/States", "ExecutionsFailed", {"StateMachineArn": arn}, [1.0, 2.0])
    shop.points("AWS/States", "ExecutionsSucceeded", {"StateMachineArn": arn}, [9.0])
    result = await provider.ask(StateMachines())
    assert [row.name for row in result.rows] == ["fulfil", "calm"]
    gone = await provider.ask(StateMachines(name="gone"))
    assert (gone.status, gone.message) == (Status.no_data, "there is no state machine gone")
    assert (result.rows[0].facts["failed"], result.rows[0].facts["not_succeeded_percent"]) == (3, 25)


async def test_no_machine(shop: Shop, provider: AwsProvider) -> None:
    result = await provider.ask(StateMachines())
    assert (result.status, result.message) == (Status.no_data, "Step Functions has no state machine here")


async def test_metrics_that_may_not_be_read(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    machine(shop, "fulfil")
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(StateMachines())
    assert result.status is Status.truncated
    assert "failed" not in result.rows[0].facts


class Later:
    """Moto stamps with the real time, which is after the fixed one."""

    def now(self) -> datetime:
        return NOW + 30 * MINUTE


async def test_an_execution_that_somebody_stopped(shop: Shop) -> None:
    arn = machine(shop, "fulfil")
    states = shop.client("stepfunctions")
    run = states.start_execution(stateMachineArn=arn, name="order-7")["executionArn"]
    states.start_execution(stateMachineArn=arn, name="order-8")
    states.stop_execution(executionArn=run, error="Stopped", cause="by hand")
    result = await AwsProvider(AwsSettings(), Later()).ask(Executions(name="fulfil"))
    assert [(row.name, row.facts["status"]) for row in result.rows] == [("order-7", "ABORTED"), ("order-8", "RUNNING")]


HISTORY = [
    {"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": NOW - 9 * MINUTE},
    {"id": 2, "previousEventId": 0, "type": "TaskStateEntered", "timestamp": NOW - 9 * MINUTE,
     "stateEnteredEventDetails": {"name": "Reserve"}},
    {"id": 3, "previousEventId": 2, "type": "TaskStateExited", "timestamp": NOW - 8 * MINUTE},
    {"id": 4, "previousEventId": 3, "type": "TaskStateEntered", "timestamp": NOW - 8 * MINUTE,
     "stateEnteredEventDetails": {"name": "Charge"}},
    {"id": 5, "previousEventId": 4, "type": "TaskScheduled", "timestamp": NOW - 8 * MINUTE,
     "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "x", "parameters": "{}"}},
    {"id": 6, "previousEventId": 5, "type": "TaskFailed", "timestamp": NOW - 7 * MINUTE,
     "taskFailedEventDetails": {"resourceType": "lambda", "resource": "invoke", "error": "CardError",
                                "cause": "password=hunter2 refused"}},
    {"id": 7, "previousEventId": 6, "type": "TaskScheduled", "timestamp": NOW - 6 * MINUTE,
     "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "x", "parameters": "{}"}},
    {"id": 8, "previousEventId": 7, "type": "TaskFailed", "timestamp": NOW - 5 * MINUTE,
     "taskFailedEventDetails": {"resourceType": "lambda", "resource": "invoke", "error": "CardError",
                                "cause": "password=hunter2 refused"}},
    {"id": 9, "previousEventId": 8, "type": "ExecutionFailed", "timestamp": NOW - 5 * MINUTE,
     "executionFailedEventDetails": {"error": "States.TaskFailed", "cause": "a task failed"}},
]  # fmt: skip


def _canned(aws: StandIn, type: str = "STANDARD") -> None:
    """Canned: moto's executions never fail."""
    listed = [{"stateMachineArn": ARN, "name": "fulfil", "type": type, "creationDate": NOW}]
    aws.tells("stepfunctions", "ListStateMachines", {"stateMachines": listed})
    base = {"stateMachineArn": ARN, "startDate": NOW - 9 * MINUTE, "stopDate": NOW - 5 * MINUTE}
    runs = {
        "FAILED": [{**base, "executionArn": f"{RUN}{n}", "name": str(n), "status": "FAILED"} for n in range(12)],
        "SUCCEEDED": [{**base, "executionArn": f"{RUN}fine", "name": "fine", "status": "SUCCEEDED"}],
    }
    answers = {}
    for status in ("FAILED", "SUCCEEDED", "OTHER"):
        aws.tells("stepfunctions", "ListExecutions", {"executions": runs.get(status, [])})
        answers[status] = aws.answers["ListExecutions"]
    aws.answers["ListExecutions"] = lambda body: answers.get(json.loads(body)["statusFilter"], answers["OTHER"])(body)
    aws.tells("stepfunctions", "GetExecutionHistory", {"events": list(reversed(HISTORY))})


async def test_the_state_that_failed_and_why(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    result = await provider.ask(Executions(name=ARN))
    first: dict[str, Any] = dict(result.rows[0].facts)
    assert (first["status"], first["failed_state"], first["error"]) == ("FAILED", "Charge", "CardError")
    assert "hunter2" not in str(result.model_dump())
    assert (first["same_state_and_error"], first["seconds"]) == (10, 240)
    assert result.rows[-1].name == "fine"
    assert result.status is Status.truncated
    assert result.message == "the causes of the latest 10 of 12 were read"
    assert 'includeExecutionData": false' in aws.asked("GetExecutionHistory")[0].body, "no data of customers is read"


async def test_only_those_of_one_ending(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    result = await provider.ask(Executions(name="fulfil", status="SUCCEEDED"))
    assert [row.name for row in result.rows] == ["fine"]
    assert len(aws.asked("ListExecutions")) == 1
    none = await provider.ask(Executions(name="fulfil", status="TIMED_OUT"))
    assert none.status is Status.no_data


async def test_an_express_workflow_keeps_no_list(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws, "EXPRESS")
    result = await provider.ask(Executions(name="fulfil"))
    assert result.status is Status.error
    assert "fulfil is an express workflow" in result.message


async def test_histories_that_may_not_be_read(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    aws.refuses("GetExecutionHistory", "AccessDeniedException", "no")
    result = await provider.ask(Executions(name="fulfil"))
    assert result.status is Status.truncated
    assert "states:GetExecutionHistory" in result.message
    assert len(result.rows) == 13


async def test_the_way_of_one_execution(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    aws.tells("stepfunctions", "DescribeExecution", {"executionArn": RUN + "0", "stateMachineArn": ARN,
              "status": "FAILED", "startDate": NOW})  # fmt: skip
    result = await provider.ask(Execution(arn=RUN + "0"))
    assert result.status is Status.ok, result.message
    charge, reserve = result.rows
    assert (charge.name, charge.facts["attempts"], charge.facts["error"]) == ("Charge", 2, "CardError")
    assert (charge.facts["left"], charge.facts["seconds"]) == (False, 180)
    assert (reserve.name, reserve.facts["left"], reserve.facts["seconds"]) == ("Reserve", True, 60)


async def test_an_execution_that_is_gone(shop: Shop, provider: AwsProvider) -> None:
    gone = "arn:aws:states:us-east-1:123456789012:execution:fulfil:gone"
    result = await provider.ask(Execution(arn=gone))
    assert result.status is Status.no_data


async def test_executions_after_a_past_window_do_not_make_it_empty(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: the newest thousand ran after the window, so nothing is known of what ran in it."""
    _canned(aws)
    base = {"stateMachineArn": ARN, "startDate": NOW - MINUTE, "stopDate": NOW, "status": "FAILED"}
    runs = [{**base, "executionArn": f"{RUN}{n}", "name": str(n)} for n in range(1000)]
    aws.tells("stepfunctions", "ListExecutions", {"executions": runs})
    past = TimeWindow(start=NOW - 90 * MINUTE, end=NOW - 60 * MINUTE)
    result = await provider.ask(Executions(name="fulfil", status="FAILED", window=past))
    assert not result.rows
    assert result.message == "not all that are failed were looked at; name a later window"

"""What is rarer than a bad deployment is found too: quotas, the network, jobs that run by the clock."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from runbook_bot.domain.observation import Change, ChangeKind, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import FailureMode, ResourceType, Signal
from tests.investigation.running import Running
from tests.investigation.town import Effect, Town, market, minutes_ago

S = Signal
ONSET = minutes_ago(25)
ORDERS = Resource(type=ResourceType.ecs_service, cluster="prod", name="orders")
ORDERS_DB = Resource(type=ResourceType.rds_instance, name="orders-db")


def hurting(*, errors: bool = True, latency: bool = True) -> Town:
    """orders hurts, and the storefront with it."""
    town = market(11)
    for index, name in enumerate(("orders-tg", "storefront-tg")):
        at = ONSET + timedelta(seconds=45 * index)
        town.effects |= {(name, S.errors): Effect(120, at)} if errors else {}
        town.effects |= {(name, S.latency): Effect(0.9, at)} if latency else {}
    return town


def happened(town: Town, kind: ChangeKind, summary: str, resource: Resource) -> None:
    at = ONSET - timedelta(minutes=2)
    town.changes.append(
        Change(at=at, kind=kind, summary=summary, actor="AWS", service=resource.name, resource=resource)
    )


def quota() -> Town:
    town = hurting()
    town.effects[("orders", S.running_tasks)] = Effect(2, ONSET)
    said = "(service orders) was unable to place a task. Reason: You've reached the limit on the number of tasks"
    town.events["orders"] = [LogLine(at=ONSET + timedelta(minutes=m), text=said) for m in range(-1, 9)]
    return town


def loss() -> Town:
    town = hurting()
    happened(town, "vendor", "AWS reports: EC2 network connectivity issue", ORDERS)
    town.log("/ecs/orders", "ERROR write EHOSTUNREACH 10.0.3.12:443", ONSET, 6)
    return town


def latency() -> Town:
    town = hurting(errors=False)
    happened(town, "vendor", "AWS reports: EC2 increased network latency", ORDERS)
    town.log("/ecs/orders", "WARN dial tcp 10.0.3.12:443: i/o timeout, trying again", ONSET, 6)
    return town


def job() -> Town:
    town = hurting(errors=False)
    happened(town, "schedule", "rule nightly-export fired and ran task export:3, which uses orders-db", ORDERS_DB)
    for signal, level in ((S.cpu, 92.0), (S.read_latency, 0.05), (S.disk_queue, 40.0)):
        town.effects[("orders-db", signal)] = Effect(level, ONSET - timedelta(minutes=1))
    return town


@pytest.mark.parametrize(
    ("town", "mode", "service"),
    [
        (quota, FailureMode.quota_exceeded, "orders"),
        (loss, FailureMode.network_loss, "orders"),
        (latency, FailureMode.network_latency, "orders"),
        (job, FailureMode.scheduled_job, "orders-db"),
    ],
    ids=lambda each: each.__name__ if callable(each) else str(each),
)
async def test_it_is_named_and_placed(town: Callable[[], Town], mode: FailureMode, service: str) -> None:
    case = await Running(town()).investigate("storefront is in trouble")
    assert case.verdict is not None
    named = case.verdict.root_cause
    assert named is not None, case.verdict.ranked
    assert (named.failure_mode, named.service) == (mode, service)

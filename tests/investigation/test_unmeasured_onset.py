"""Trouble whose beginning nobody measured: it was there before the window, or only a vendor told of it."""

from datetime import timedelta

from runbook_bot.domain.observation import Alarm, LogLine
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import FailureMode, ResourceType, Signal
from tests.investigation.running import Running
from tests.investigation.town import NOW, Effect, Town, market, minutes_ago

F, R, S = FailureMode, ResourceType, Signal
HOURS_AGO = NOW - timedelta(hours=6)
DAYS_AGO = NOW - timedelta(days=3)


def event(text: str, minutes: float = 15) -> LogLine:
    return LogLine(at=minutes_ago(minutes), text=text)


def pods(*events: LogLine) -> Town:
    """A workload of which nothing is measured."""
    pod = Resource(type=R.kubernetes_workload, cluster="prod", namespace="shop", kind="deployment", name="billing")
    graph = ServiceGraph(services=(Service(name="billing", resources=(pod,)),))
    return Town(graph, events={"billing": list(events)})


async def test_a_processor_that_is_full_all_the_time_is_no_calm_one() -> None:
    town = market()
    town.effects["orders-db", S.cpu] = Effect(95, HOURS_AGO)
    case = await Running(town).investigate("orders-db answers slowly")
    assert case.symptom is not None
    assert case.symptom.moved == "rises"
    assert case.symptom.onset is None
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.failure_mode is F.cpu_saturation


async def test_a_processor_that_was_as_full_the_day_before_is_not_news() -> None:
    town = market()
    town.effects["orders-db", S.cpu] = Effect(95, DAYS_AGO)
    case = await Running(town).investigate("orders-db answers slowly")
    assert case.symptom is not None
    assert case.symptom.moved == "steady"


async def test_a_threshold_that_is_passed_all_the_time_is_not_noise() -> None:
    town = market()
    cpu = Resource(type=R.rds_instance, name="orders-db")
    town.effects["orders-db", S.cpu] = Effect(80, HOURS_AGO)
    town.alarms.append(
        Alarm(name="orders-db-cpu", state="alarm", since=HOURS_AGO, subject=cpu, signal=S.cpu, threshold=70,
              comparison="above")
    )  # fmt: skip
    case = await Running(town).investigate("orders-db-cpu")
    assert case.verdict is not None
    assert case.verdict.ranked[0].failure_mode is not F.none


async def test_a_failover_that_no_metric_shows_is_found_by_what_the_vendor_reports() -> None:
    town = market()
    town.events["orders-db"] = [
        event("Multi-AZ instance failover started."),
        event("DB instance restarted", 14),
        event("Multi-AZ instance failover completed", 14),
    ]
    case = await Running(town).investigate("orders-db lost its connections")
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.failure_mode is F.database_failover


async def test_pods_that_fail_their_probes_are_found_without_a_metric() -> None:
    town = pods(event("Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500"),
                event("Killing: Container billing failed liveness probe, will be restarted", 14))  # fmt: skip
    case = await Running(town).investigate("billing restarts again and again")
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.failure_mode is F.health_check_failure


async def test_a_vendor_that_reports_nothing_of_note_does_not_make_a_fault() -> None:
    case = await Running(pods(event("Pulled: Container image is already present on machine"))).investigate("billing")
    assert case.verdict is not None
    assert case.verdict.ranked[0].failure_mode is F.none

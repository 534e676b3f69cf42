"""Neutral questions answered by a real Prometheus."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, ReadMetrics, ReadState, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.prometheus.provider import PrometheusProvider
from tests.providers.prometheus.server import NEW, OLD, SINCE, PrometheusServer

CHECKOUT = Resource(
    type=ResourceType.kubernetes_workload, cluster="prod", namespace="shop", kind="Deployment", name="checkout"
)


def measured(promql: str, **labels: str) -> Resource:
    return Resource(type=ResourceType.metric, name=promql, promql=promql, dimensions=labels)


async def test_a_workload_is_measured_in_the_neutral_units(provider: PrometheusProvider, window: TimeWindow) -> None:
    result = await provider.ask(ReadMetrics(resources=(CHECKOUT,), window=window))
    assert result.status is Status.ok, result.message
    by_signal = {each.signal: each for each in result.series}
    memory = by_signal[Signal.memory]
    assert memory.values[0] == pytest.approx(40.0)
    assert max(memory.values) == pytest.approx(96.0)
    assert memory.unit == "percent"
    assert set(by_signal[Signal.running_tasks].values) == {2.0, 3.0}
    assert Signal.latency not in by_signal, "nothing measures it here"
    assert result.console is not None


async def test_an_expression_of_services_yaml_is_one_series(provider: PrometheusProvider, window: TimeWindow) -> None:
    errors = measured('60 * rate(shop_errors_total{service="checkout"}[5m])')
    result = await provider.ask(ReadMetrics(resources=(errors,), window=window))
    (series,) = result.series
    assert series.signal is Signal.value
    assert series.resource == errors
    assert series.values[30] == pytest.approx(2.0, rel=0.1)
    assert series.values[-1] == pytest.approx(60.0, rel=0.1)
    began = next(t for t, v in zip(series.times, series.values, strict=True) if v > 5)
    assert abs(began - (window.end.timestamp() - SINCE)) <= 300


async def test_of_several_series_the_highest_counts_and_that_is_said(
    provider: PrometheusProvider, window: TimeWindow
) -> None:
    result = await provider.ask(ReadMetrics(resources=(measured("shop_depth"),), window=window))
    assert set(result.series[0].values) == {9.0}
    assert "2 series of shop_depth" in result.message
    one = await provider.ask(ReadMetrics(resources=(measured("shop_depth", queue="a"),), window=window))
    assert set(one.series[0].values) == {3.0}


async def test_no_such_series_is_no_data_and_a_wrong_expression_an_error(
    provider: PrometheusProvider, window: TimeWindow
) -> None:
    nothing = await provider.ask(ReadMetrics(resources=(measured("no_such_metric"),), window=window))
    assert nothing.status is Status.no_data
    wrong = await provider.ask(ReadMetrics(resources=(measured("sum(("),), window=window))
    assert wrong.status is Status.error
    assert "bad_data" in wrong.message
    both = await provider.ask(ReadMetrics(resources=(measured("sum(("), measured("shop_depth")), window=window))
    assert both.status is Status.truncated
    assert both.series
    assert "not seen" in both.message


async def test_a_window_of_a_year_is_thinned_and_one_of_nothing_is_empty(
    provider: PrometheusProvider, window: TimeWindow
) -> None:
    year = TimeWindow(start=window.end - timedelta(days=365), end=window.end)
    result = await provider.ask(ReadMetrics(resources=(measured("shop_depth"),), window=year))
    assert result.known
    ahead = TimeWindow(start=window.end + timedelta(days=1), end=window.end + timedelta(days=2))
    later = await provider.ask(ReadMetrics(resources=(measured("shop_depth"),), window=ahead))
    assert later.status is Status.no_data


@pytest.mark.parametrize("name", ['che"ckout', "che\\ckout", "bücher", "a\nb", ".*", "x" * 300])
async def test_a_name_is_never_more_than_a_name(provider: PrometheusProvider, window: TimeWindow, name: str) -> None:
    hostile = CHECKOUT.model_copy(update={"name": name})
    result = await provider.ask(ReadMetrics(resources=(hostile,), window=window))
    assert result.status is Status.no_data, result.message


async def test_a_new_image_is_a_deployment_and_more_copies_a_scaling(
    provider: PrometheusProvider, window: TimeWindow
) -> None:
    result = await provider.ask(ListChanges(resources=(CHECKOUT, measured("shop_depth")), window=window))
    kinds = {change.kind: change for change in result.changes}
    assert kinds["deployment"].before == {"image": OLD}
    assert kinds["deployment"].after == {"image": NEW}
    assert abs((window.end - kinds["deployment"].at).total_seconds() - SINCE) <= 60
    assert kinds["scaling"].after == {"desired_count": "3"}
    assert len(result.changes) == 2, "what was there when the window began was not changed in it"


async def test_restarts_come_with_their_reason(provider: PrometheusProvider, window: TimeWindow) -> None:
    result = await provider.ask(ListEvents(resource=CHECKOUT, window=window))
    texts = [line.text for line in result.lines]
    assert any("OOMKilled" in text for text in texts)
    assert sum("restarted" in text for text in texts) == 8
    assert texts == [line.text for line in sorted(result.lines, key=lambda line: line.at)]


async def test_a_rule_that_fires_is_an_alarm_with_its_threshold(
    provider: PrometheusProvider, server: PrometheusServer, window: TimeWindow
) -> None:
    result = await provider.ask(FindAlarms())
    (alarm,) = result.alarms
    assert (alarm.name, alarm.state, alarm.comparison, alarm.threshold) == ("CheckoutErrors", "alarm", "above", 12.0)
    assert alarm.since is not None
    assert datetime.fromtimestamp(server.now, UTC) <= alarm.since
    assert "checkout fails for customers (service checkout)" in alarm.description
    assert alarm.metric is not None
    watched = await provider.ask(ReadMetrics(resources=(alarm.metric,), window=window))
    assert len(watched.series[0].values) > 150, "the comparison is left out, so that calm times have points too"
    named = await provider.ask(FindAlarms(name="NobodyThere"))
    assert [each.state for each in named.alarms] == ["ok"]
    assert (await provider.ask(FindAlarms(name="unheard of"))).status is Status.no_data


async def test_what_it_cannot_be_asked_is_left_to_others(provider: PrometheusProvider, window: TimeWindow) -> None:
    bucket = Resource(type=ResourceType.s3_bucket, name="photos")
    cloudwatch = Resource(type=ResourceType.metric, namespace="Shop", name="Orders")
    assert not provider.answers(ReadMetrics(resources=(bucket, cloudwatch), window=window))
    assert not provider.answers(ReadState(resource=CHECKOUT))
    assert (await provider.ask(ReadState(resource=CHECKOUT))).status is Status.error
    assert not provider.answers(ListChanges(resources=(bucket,), window=window))


async def test_doctor_hears_how_much_it_watches(provider: PrometheusProvider, server: PrometheusServer) -> None:
    (check,) = await provider.check()
    assert check.state == "warning"
    assert check.text == f"{server.url} answers, and watches nothing"

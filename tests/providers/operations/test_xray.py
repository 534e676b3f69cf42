"""X-Ray, in the form of the service model: moto stores traces but answers no question about them."""

import json
from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.xray import ServiceMap, Traces
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.segments import origin, self_times, tree
from tests.providers.conftest import NOW
from tests.providers.stand_in import StandIn

START = NOW.timestamp() - 600


def edge(to: int, calls: int, faults: int = 0, errors: int = 0, throttled: int = 0) -> dict[str, Any]:
    return {
        "ReferenceId": to,
        "SummaryStatistics": {
            "TotalCount": calls,
            "TotalResponseTime": calls * 0.25,
            "FaultStatistics": {"TotalCount": faults},
            "ErrorStatistics": {"TotalCount": errors, "ThrottleCount": throttled},
        },
        "ResponseTimeHistogram": [{"Value": 0.1, "Count": calls - 1}, {"Value": 2.0, "Count": 1}],
    }


NODES = [
    {"ReferenceId": 0, "Name": "front", "Type": "client", "Edges": [edge(1, 100, 5)]},
    {
        "ReferenceId": 1,
        "Name": "checkout/ápi",
        "Type": "AWS::ECS::Container",
        "Edges": [edge(2, 90, 30, 4, 4), edge(3, 10)],
    },
    {"ReferenceId": 2, "Name": "orders@db", "Type": "Database::SQL"},
    {"ReferenceId": 3, "Name": "mail", "Type": "remote"},
]


async def test_the_edge_that_fails_most_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("xray", "GetServiceGraph", {"Services": NODES})
    result = await provider.ask(ServiceMap())
    assert [row.name for row in result.rows] == [
        "checkout/ápi → orders@db",
        "clients → checkout/ápi",
        "checkout/ápi → mail",
    ]
    facts = result.rows[0].facts
    assert (facts["calls"], facts["faults"], facts["errors"], facts["throttles"]) == (90, 30, 0, 4)
    assert facts["fault_percent"] == 33.33
    assert facts["latency_ms"] == 250
    assert facts["latency_p99_ms"] == 2000
    only = await provider.ask(ServiceMap(name="MAIL"))
    assert [row.name for row in only.rows] == ["checkout/ápi → mail"]


async def test_a_window_that_is_too_long_is_cut_to_its_end(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("xray", "GetServiceGraph", {"Services": NODES})
    result = await provider.ask(ServiceMap(window=TimeWindow(start=NOW - timedelta(days=2), end=NOW)))
    assert result.status is Status.truncated
    asked = json.loads(aws.asked("GetServiceGraph")[0].body)
    assert asked["EndTime"] - asked["StartTime"] == 6 * 3600


def segment(id: str, name: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "start_time": START + start, "end_time": START + end, **more}


CHECKOUT = segment(
    "a", "checkout-api", 0, 2, fault=True,
    subsegments=[
        segment("a1", "pricing", 0.5, 1.9, fault=True, namespace="remote"),
        segment("a2", "cache", 0.1, 0.2, namespace="remote"),
    ],
)  # fmt: skip
PRICING = segment(
    "b", "pricing", 0.6, 1.8, fault=True, parent_id="a1",
    subsegments=[
        segment(
            "b1", "orders-db", 0.7, 1.7, fault=True, namespace="remote",
            cause={"exceptions": [{"type": "Wrapped"}, {"type": "Timeout", "message": "no connection"}]},
        )
    ],
)  # fmt: skip


def test_an_error_began_at_the_deepest_call_that_failed() -> None:
    where = origin(tree([json.dumps(PRICING), json.dumps(CHECKOUT)]))  # in any order
    assert where is not None
    assert (where.name, where.service, where.message) == ("orders-db", "pricing", "Timeout: no connection")


def test_time_is_told_by_who_was_at_work() -> None:
    times = {
        name: round(seconds, 3)
        for name, seconds in self_times(tree([json.dumps(CHECKOUT), json.dumps(PRICING)])).items()
    }
    assert times == {"orders-db": 1.0, "checkout-api": 0.7, "pricing": 0.2, "cache": 0.1}


def test_documents_that_make_no_sense_are_left_out() -> None:
    circle = [segment("x", "a", 0, 1, parent_id="y"), segment("y", "b", 0, 1, parent_id="x")]
    odd = segment("z", "c", 5, 1, subsegments=[None, "text"], cause="0123", http={"response": "?"})
    roots = tree(["{", "[]", "null", json.dumps(odd), *map(json.dumps, circle)])
    assert {each.name for root in roots for _, each in root.walk()} == {"a", "b", "c"}
    assert origin(roots) is None


SUMMARY = {
    "Id": "1-a",
    "StartTime": NOW,
    "ResponseTime": 2.0,
    "HasFault": True,
    "Http": {"HttpURL": "https://shop/pay", "HttpStatus": 502, "HttpMethod": "POST"},
    "EntryPoint": {"Name": "checkout-api"},
    "ServiceIds": [{"Name": "checkout-api"}, {"Name": "pricing"}],
    "FaultRootCauses": [{"Services": [{"Name": "checkout-api"}, {"Name": "pricing"}]}],
}


async def test_failed_traces_tell_where_they_failed(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("xray", "GetTraceSummaries", {"TraceSummaries": [SUMMARY]})
    segments = [{"Id": each["id"], "Document": json.dumps(each)} for each in (CHECKOUT, PRICING)]
    aws.tells("xray", "BatchGetTraces", {"Traces": [{"Id": "1-a", "Segments": segments}]})
    result = await provider.ask(Traces(name='check"out'))
    (row,) = result.rows
    assert row.facts["began_in"] == "orders-db (called by pricing)"
    assert row.facts["exception"] == "Timeout: no connection"
    assert row.facts["self_ms"] == {"orders-db": 1000, "checkout-api": 700, "pricing": 200, "cache": 100}
    assert row.facts["request"] == "POST https://shop/pay"
    asked = json.loads(aws.asked("GetTraceSummaries")[0].body)
    assert asked["FilterExpression"] == 'service("check\\"out") { fault = true }'


async def test_without_the_segments_the_summary_still_tells(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("xray", "GetTraceSummaries", {"TraceSummaries": [SUMMARY]})
    aws.refuses("BatchGetTraces", "AccessDeniedException", status=403)
    result = await provider.ask(Traces())
    assert result.rows[0].facts["began_in"] == "pricing"
    assert result.status is Status.truncated
    assert "xray:BatchGetTraces" in result.message


async def test_no_traces(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("xray", "GetTraceSummaries", {"TraceSummaries": []})
    result = await provider.ask(Traces(which="slow"))
    assert result.status is Status.no_data
    assert "X-Ray has no such trace" in result.message
    aws.tells("xray", "GetServiceGraph", {"Services": []})
    assert (await provider.ask(ServiceMap())).message == "X-Ray has no trace in this window"

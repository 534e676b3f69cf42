"""Traces tell who calls whom, where the time goes, and where an error began."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_bot.analysis.ranking import rank
from runbook_bot.analysis.traces import Span, calls, metrics, origins, self_times

ORDER = (
    Span("t1", "1", None, "front", 0.0, 1.0, failed=True),
    Span("t1", "2", "1", "cart", 0.1, 0.6, failed=True),
    Span("t1", "3", "2", "db", 0.2, 0.4),
    Span("t1", "4", "2", "db", 0.3, 0.5),
    Span("t1", "5", "1", "search", 0.5, 0.9),
    Span("t2", "1", None, "front", 5.0, 5.2),
)


def test_who_calls_whom() -> None:
    assert calls(ORDER) == {"front": ["cart", "search"], "cart": ["db"], "db": [], "search": []}


def test_time_that_children_take_at_once_is_counted_once() -> None:
    spent = {service: round(seconds, 6) for service, seconds in self_times(ORDER).items()}
    assert spent == {"front": 0.4, "db": 0.4, "search": 0.4, "cart": 0.2}


def test_an_error_begins_where_no_child_failed() -> None:
    assert origins(ORDER) == {"cart": 1}


def test_a_slow_service_is_found_from_traces_alone() -> None:
    rng = np.random.default_rng(0)
    spans = []
    for n in range(1800):
        start, slow = 2.0 * n, 0.5 if n > 1200 else 0.0
        db = 0.05 + 0.01 * rng.random() + slow
        spans.append(Span(str(n), "a", None, "front", start, start + 0.2 + db))
        spans.append(Span(str(n), "b", "a", "cart", start + 0.05, start + 0.15 + db))
        spans.append(Span(str(n), "c", "b", "db", start + 0.1, start + 0.1 + db))
    found = rank(metrics(spans), calls(spans), symptom=("front", "latency"))
    assert found.blamed[0] == "db"
    assert found.onset is not None
    assert abs(found.onset - 2400) <= 120


FEW = st.sampled_from(["a", "b", "c"])
SECONDS = st.floats(-1e9, 1e9)


@given(st.lists(st.builds(Span, FEW, FEW, st.none() | FEW, FEW, SECONDS, SECONDS, st.booleans()), max_size=20))
@settings(max_examples=80, deadline=None)
def test_no_traces_are_too_strange(spans: list[Span]) -> None:
    assert all(seconds >= 0 for seconds in self_times(spans).values())
    assert sum(origins(spans).values()) <= sum(each.failed for each in spans)
    rank(metrics(spans), calls(spans))

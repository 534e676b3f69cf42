"""The two languages in which logs are asked: filter patterns and Insights queries."""

import pytest

from runbook_bot.playground.cloud.log_insights import InsightsError, run_query
from runbook_bot.playground.cloud.log_patterns import PatternError, compile_pattern
from runbook_bot.playground.cloud.log_store import Event

PLAIN = "2026-11-24 ERROR pool: connection refused by db-1"
JSON = '{"level":"ERROR","msg":"timeout calling stock","ms":812,"http":{"status":503},"retry":false}'


@pytest.mark.parametrize(
    ("pattern", "plain", "json"),
    [
        ("", True, True),
        ("ERROR", True, True),
        ("ERROR refused", True, False),
        ("?refused ?timeout", True, True),
        ("ERROR -refused", False, True),
        ('"connection refused"', True, False),
        ('-"connection refused"', False, True),
        ("%db-[0-9]%", True, False),
        ("error", False, False),
        ('{ $.level = "ERROR" }', False, True),
        ("{ $.level = E* }", False, True),
        ("{ $.ms > 800 && $.http.status = 503 }", False, True),
        ("{ $.ms > 900 || ($.http.status = 503 && $.level != INFO) }", False, True),
        ("{ $.ms <= 800 }", False, False),
        ("{ $.retry IS FALSE }", False, True),
        ("{ $.absent NOT EXISTS }", False, True),
        ("{ $.msg = %timeout% }", False, True),
    ],
)
def test_a_filter_pattern(pattern: str, plain: bool, json: bool) -> None:
    matches = compile_pattern(pattern)
    assert (matches(PLAIN), matches(JSON)) == (plain, json)


@pytest.mark.parametrize("pattern", ["{ $.level = ", "{ level = 1 }", "[ip, user]", "%(%", "{ ($.a = 1 }", "x" * 2000])
def test_a_wrong_filter_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


LINES = [
    (60_000, '{"level":"INFO","path":"/a","ms":10}'),
    (90_000, '{"level":"ERROR","path":"/a","ms":500}'),
    (130_000, '{"level":"ERROR","path":"/b","ms":700}'),
    (190_000, "worker 7 took 31 ms for job resize"),
]
EVENTS = [("/app", Event(at, i, "s", text, at)) for i, (at, text) in enumerate(LINES)]


def ask(query: str) -> list[dict[str, str]]:
    rows, _ = run_query(query, EVENTS, 1000)
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in rows]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("filter level = 'ERROR' | stats count(*) as n", [{"n": "2"}]),
        (
            "stats count(*) as n by bin(1m) as at | sort at desc | limit 2",
            [{"at": "1970-01-01 00:03:00.000", "n": "1"}, {"at": "1970-01-01 00:02:00.000", "n": "1"}],
        ),
        ("filter ispresent(ms) | stats max(ms), avg(ms) by level | sort level desc | limit 1", [
            {"level": "INFO", "max(ms)": "10", "avg(ms)": "10"},
        ]),
        ("filter @message like /(?i)WORKER/ | parse @message 'took * ms' as took | fields took", [{"took": "31"}]),
        (r"parse @message /job (?<job>\w+)/ | filter ispresent(job) | display job", [{"job": "resize"}]),
        ("filter level = 'ERROR' and not (path = '/a') | fields path, ms", [{"path": "/b", "ms": "700"}]),
        ("filter level not like 'INFO' and ms >= 500 | fields ms | sort ms asc", [{"ms": "500"}, {"ms": "700"}]),
        ("stats count_distinct(path) as paths, pct(ms, 50) as p50", [{"paths": "2", "p50": "500"}]),
        ("fields @message | sort @timestamp desc | limit 1", [{"@message": LINES[3][1]}]),
    ],
)  # fmt: skip
def test_an_insights_query(query: str, rows: list[dict[str, str]]) -> None:
    assert ask(query) == rows


@pytest.mark.parametrize(
    "query", ["explode @message", "filter level ~~ 'x'", "limit many", "stats sum by x", "filter a ="]
)
def test_a_wrong_insights_query_is_refused(query: str) -> None:
    with pytest.raises(InsightsError):
        ask(query)

"""What analysis costs: a thousand metrics of three hours, a graph of a thousand services, a million log lines."""

import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_bot.analysis.grid import Metric
from runbook_bot.analysis.ranking import rank
from runbook_bot.analysis.shift import shift
from runbook_bot.analysis.templates import MOST, templates
from runbook_bot.domain.observation import LogLine

ROWS = 180
MINUTES = 60.0 * np.arange(ROWS)
ALLOWED = 2.0
"""Seconds of one core for a thousand metrics."""
BEGAN = datetime(2026, 3, 4, tzinfo=UTC)
MEGABYTE = 2**20


def metrics(count: int) -> list[Metric]:
    rng = np.random.default_rng(0)
    values = 100 + 5 * rng.standard_normal((count, ROWS))
    values[::20, 120:] += 60
    return [Metric(f"service-{n // 5}", ("cpu", "latency", "requests", "errors", "memory")[n % 5], MINUTES, values[n])
            for n in range(count)]  # fmt: skip


def analysed(known: list[Metric]) -> None:
    """Each by itself, and all together."""
    for each in known:
        shift(each.times, each.values)
    nodes = sorted({each.node for each in known})
    ring = {
        node: [nodes[(place + 1) % len(nodes)], nodes[(place * 7) % len(nodes)]] for place, node in enumerate(nodes)
    }
    assert rank(known, ring).changed


def seconds(what: Callable[[], object]) -> float:
    began = time.process_time()
    what()
    return time.process_time() - began


def lines(count: int) -> Iterator[LogLine]:
    words = ("GET", "POST", "ERROR timed out", "cache miss", "slow query", "login", "logout")
    for n in range(count):
        text = (
            f"{words[n % 7]} request {n} took {n % 977}ms from 10.0.{n % 256}.{n % 13} trace={n:032x} {'x' * (n % 50)}"
        )
        yield LogLine.model_construct(at=BEGAN + timedelta(milliseconds=n), text=text, stream="")


def test_a_thousand_metrics(benchmark: BenchmarkFixture) -> None:
    few, many = metrics(1000), metrics(4000)
    analysed(few[:100])
    took = benchmark.pedantic(lambda: min(seconds(lambda: analysed(few)) for _ in range(3)), rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    more = seconds(lambda: analysed(many))
    sys.stdout.write(f"1,000 metrics of three hours {took:.2f} s of one core, 4,000 {more:.2f} s\n")
    assert took <= ALLOWED
    assert more <= 10 * took, "four times the metrics cost about four times as much"


def test_a_million_log_lines(benchmark: BenchmarkFixture) -> None:
    def peak(count: int) -> float:
        tracemalloc.start()
        templates(lines(count), BEGAN.timestamp() + 10)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / MEGABYTE

    moment = BEGAN.timestamp() + 500
    tenth = seconds(lambda: templates(lines(100_000), moment))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    found = benchmark.pedantic(lambda: templates(lines(1_000_000), moment), rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    whole = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sys.stdout.write(f"a million lines fall into {len(found)} kinds, {whole:.0f} s of one core, {grown:.0f} MB more\n")
    assert sum(each.before + each.after for each in found) == 1_000_000
    assert len(found) <= MOST
    assert grown < 100
    assert whole <= 25 * tenth, "ten times the lines cost about ten times as much"
    assert peak(60_000) <= 1.3 * peak(30_000) + 1, "what is kept does not grow with the lines"

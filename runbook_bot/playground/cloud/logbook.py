"""The log lines that services write, ordinary ones and those the fault brings."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_bot.playground.cloud.course import Course
from runbook_bot.playground.cloud.inventory import LambdaFunction, Line, Owned, RdsInstance, Resource
from runbook_bot.playground.cloud.plot import Lines
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.weather import Season

LogLine = tuple[int, str]
"""Milliseconds since the epoch, and the text."""

_BLANK = re.compile(r"<(\w+)>")
_HEX = "0123456789abcdef"
_PATHS = ("/", "/health", "/v1/items", "/v1/orders", "/v1/search", "/v1/cart")

_ORDINARY_TASK = (
    Line(
        text='{"ts":"<ts>","level":"INFO","msg":"request handled","path":"<path>","status":200,"ms":<ms>,'
        '"trace":"<trace>"}',
        rate=6,
    ),
    Line(text='{"ts":"<ts>","level":"INFO","msg":"health check passed","path":"/health","status":200,"ms":1}', rate=2),
    Line(
        text='{"ts":"<ts>","level":"WARN","msg":"client closed request","path":"<path>","status":499,'
        '"trace":"<trace>"}',
        rate=0.4,
    ),
)
_ORDINARY_FUNCTION = (
    Line(text="START RequestId: <uuid> Version: $LATEST", rate=4),
    Line(text="END RequestId: <uuid>", rate=4),
    Line(
        text="REPORT RequestId: <uuid>\tDuration: <ms>.41 ms\tBilled Duration: <ms> ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 143 MB",
        rate=4,
    ),
)
_ORDINARY_DATABASE = (
    Line(text="<stamp> UTC::@:[392]:LOG:  checkpoint starting: time", rate=0.2),
    Line(
        text="<stamp> UTC::@:[392]:LOG:  checkpoint complete: wrote <n> buffers (0.1%); 0 WAL file(s) added, "
        "0 removed, 1 recycled",
        rate=0.2,
    ),
    Line(text='<stamp> UTC::@:[<n>]:LOG:  automatic vacuum of table "app.public.sessions": index scans: 1', rate=0.15),
)


def _uuid(dice: random.Random) -> str:
    digits = "".join(dice.choices(_HEX, k=32))
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_BLANKS: dict[str, Callable[[random.Random], str]] = {
    "ms": lambda dice: str(int(dice.lognormvariate(4.2, 0.5))),
    "slow": lambda dice: str(int(dice.uniform(2000, 3100))),
    "few": lambda dice: str(dice.randrange(2, 9)),
    "n": lambda dice: str(dice.randrange(1000, 32000)),
    "id": lambda dice: str(dice.randrange(100_000, 999_999)),
    "sku": lambda dice: f"{dice.choice('ABKLT')}{dice.choice('XYZQ')}-{dice.randrange(1000, 9999)}",
    "amount": lambda dice: f"{dice.uniform(4, 240):.2f}",
    "ip": lambda dice: f"10.0.{dice.randrange(1, 4)}.{dice.randrange(4, 250)}",
    "path": lambda dice: dice.choice(_PATHS),
    "trace": lambda dice: "".join(dice.choices(_HEX, k=16)),
    "uuid": _uuid,
}


@dataclass(frozen=True)
class _Source:
    line: Line
    brought: Lines | None


class Logbook:
    """One log group's writer."""

    def __init__(self, resource: Resource, scenario: Scenario, course: Course, now: float) -> None:
        assert resource.log_group
        self.group = resource.log_group
        self.resource = resource
        self._course = course
        self._season = Season.of(scenario, now)
        self._dice = random.Random(f"{scenario.seed}/{self.group}")  # noqa: S311  # the same lines for the same seed
        on = f"{resource.type}:{resource.name}"
        self._sources = [_Source(line, None) for line in _ordinary(resource)]
        for lines in scenario.fault.logs if scenario.fault else ():
            if lines.of == on:
                self._sources += [_Source(line, lines) for line in lines.lines]

    def write(self, start: float, end: float) -> list[LogLine]:
        """The lines of a stretch of time, in order. Rates are taken as constant over each minute of it."""
        written: list[LogLine] = []
        at = start
        while at < end:
            until = min(at + 60, end)
            for source in self._sources:
                for _ in range(self._number(source, at, until)):
                    moment = at + self._dice.random() * (until - at)
                    written.append((int(moment * 1000), self._fill(source.line.text, moment)))
            at = until
        return sorted(written)

    def _number(self, source: _Source, at: float, until: float) -> int:
        middle = [(at + until) / 2]
        rate = source.line.rate
        if source.brought:
            rate *= float(self._course.severity(middle, source.brought.delay, source.brought.rise)[0])
        else:
            rate *= float(self._season.at(middle)[0])
        expected = rate * (until - at) / 60
        return int(expected) + (self._dice.random() < expected % 1)

    def _fill(self, text: str, moment: float) -> str:
        return _BLANK.sub(lambda found: self._blank(found[1], moment) or found[0], text)

    def _blank(self, name: str, moment: float) -> str | None:
        if name == "ts":
            at = datetime.fromtimestamp(moment, UTC)
            return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        if name == "stamp":
            return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"
        writer = _BLANKS.get(name)
        return writer(self._dice) if writer else None


def _ordinary(resource: Owned) -> tuple[Line, ...]:
    if resource.lines:
        return resource.lines
    if isinstance(resource, LambdaFunction):
        return _ORDINARY_FUNCTION
    return _ORDINARY_DATABASE if isinstance(resource, RdsInstance) else _ORDINARY_TASK

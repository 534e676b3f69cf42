"""Numbers: the course of a metric now, its extremes, and how it compares with the time before."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.vitals import Reading, points
from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Series
from runbook_bot.domain.saying import clock, quantity
from runbook_bot.domain.tools import ReadMetrics, Result
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer, table
from runbook_bot.investigation.ask.layout import sparkline
from runbook_bot.investigation.ask.looking import Looking, span
from runbook_bot.investigation.ask.reading import signals
from runbook_bot.investigation.causal import UNMEASURED
from runbook_bot.investigation.scratchpad import MOST_RESOURCES

USUAL = timedelta(hours=3)
_ONLY_USE = (Signal.requests, Signal.consumed_capacity, Signal.messages_deleted, Signal.network_in, Signal.network_out,
             Signal.running_tasks, Signal.healthy_hosts, Signal.connections, Signal.cpu, Signal.memory)  # fmt: skip
"""Signals that may move with nobody suffering."""


def label(signal: Signal) -> str:
    return "CPU" if signal is Signal.cpu else signal.value.replace("_", " ")


@dataclass(frozen=True)
class Measured:
    """One series of one resource over the window, in words and numbers."""

    series: Series
    label: str
    name: str
    now: str
    least: str
    most: str
    usual: str
    """The median of as much time before the window; empty where nothing was measured then."""
    line: str
    shift: Shift
    numbers: Json

    @property
    def hurts(self) -> bool:
        return self.series.signal not in _ONLY_USE


async def read(look: Looking, query: ReadMetrics) -> list[Measured]:
    """The series of the window, each beside the same length of time before it."""
    window = query.window
    before = TimeWindow(start=window.start - window.length, end=window.start)
    found, earlier = await asyncio.gather(look.ask(query), look.ask(query.model_copy(update={"window": before})))
    return await asyncio.to_thread(_measured, found, window, earlier, before)


def _measured(found: Result, window: TimeWindow, earlier: Result, before: TimeWindow) -> list[Measured]:
    past = {(each.resource.key, each.signal, each.name): each for each in earlier.series}
    return [
        one
        for each in found.series
        if (one := _one(each, found, window, past.get((each.resource.key, each.signal, each.name)), before)) is not None
    ]


def _one(
    series: Series, result: Result, window: TimeWindow, past: Series | None, before: TimeWindow
) -> Measured | None:
    reading = Reading(series, result, "", window)
    times, values = points(series, window, reading.watched)
    if not values.size:
        return None
    signal = series.signal
    low, high = int(values.argmin()), int(values.argmax())
    old = points(past, before)[1] if past is not None else values[:0]
    middle = float(sorted(old)[old.size // 2]) if old.size else None
    numbers: dict[str, JsonValue] = {
        "now": float(values[-1]), "min": float(values[low]), "max": float(values[high]), "mean": float(values.mean()),
        "before": middle, "points": int(values.size),
    }  # fmt: skip
    return Measured(
        series=series,
        label=label(signal) if signal is not Signal.value else series.name,
        name=series.resource.name,
        now=quantity(signal, float(values[-1])),
        least=f"{quantity(signal, float(values[low]))} at {_hour(float(times[low]), window)}",
        most=f"{quantity(signal, float(values[high]))} at {_hour(float(times[high]), window)}",
        usual=quantity(signal, middle) if middle is not None else "",
        line=sparkline([float(each) for each in values]),
        shift=reading.shift,
        numbers=numbers,
    )


def _hour(moment: float, window: TimeWindow) -> str:
    """The clock time, with the day where the window has more than one of that time."""
    if window.length < timedelta(hours=20):
        return clock(moment).removesuffix(" UTC")
    return f"{datetime.fromtimestamp(moment, UTC):%m-%d %H:%M}"


def moved(each: Measured) -> bool:
    """Whether it changed within the window and has not come back."""
    return each.shift.moved != "steady" and each.shift.ended is None


def told(each: Measured) -> str:
    """`errors of cart rose from 2/min to 212/min at 12:04 UTC`, or how it compares with the time before."""
    signal, shift = each.series.signal, each.shift
    subject = f"{each.label} of {each.name}"
    if shift.moved != "steady" and shift.onset is not None:
        verb = "rose" if shift.moved == "rises" else "fell"
        back = f" and was back at {clock(shift.ended)}" if shift.ended else ""
        reach = f"from {quantity(signal, shift.baseline)} to {quantity(signal, shift.level)}"
        return f"{subject} {verb} {reach} at {clock(shift.onset)}{back}"
    beside = f", as before ({each.usual})" if each.usual else ""
    return f"{subject} stayed at about {quantity(signal, shift.baseline)}{beside}"


async def metric(look: Looking) -> Answer:
    """The signals that are named, or all vital signs, of the service or resource that is."""
    wanted = signals(look.text)
    resources = [r for each in look.services for r in each.resources] + list(look.resources)
    measured = tuple(r for r in resources if r.type not in UNMEASURED)[:MOST_RESOURCES]
    names = say.listed([each.name for each in look.services] or [each.name for each in look.resources])
    window = look.window(USUAL)
    named = tuple(dict.fromkeys(signal for meant in wanted for signal in meant))
    found = await read(look, ReadMetrics(resources=measured, signals=named, window=window)) if measured else []
    said = say.listed([label(meant[0]) for meant in wanted]) or "vital signs"
    if not found:
        text = f"No {said} of {names} {'is' if len(wanted) == 1 else 'are'} to be had {span(window, look.now)}."
        return Answer(question=look.text, intent="metric", text=text, window=window, at=look.now)
    ordered = sorted(found, key=lambda each: (not moved(each), not each.hurts, each.label))
    notable = [each for each in ordered if moved(each)] or ordered
    text = "; ".join(told(each) for each in notable[:3])
    if len(found) > 1 and not any(moved(each) for each in found):
        text = f"Nothing moved {span(window, look.now)}: {text}"
    rows = [(each.label, each.name, each.now, each.least, each.most, each.usual, each.line) for each in ordered]
    length = f"{window.length.total_seconds() / 3600:.3g} h"
    columns = ("signal", "of", "now", "lowest (UTC)", "highest (UTC)", f"{length} before", "course")
    data: Json = {"series": [{"signal": e.series.signal.value, "resource": e.series.resource.key, **e.numbers}
                             for e in ordered]}  # fmt: skip
    return Answer(
        question=look.text,
        intent="metric",
        text=f"{text[0].upper()}{text[1:]}.",
        tables=(table(columns, rows, title=f"{said[0].upper()}{said[1:]} {span(window, look.now)}"),),
        window=window,
        at=look.now,
        data=data,
    )

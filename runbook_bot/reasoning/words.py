"""The sentences of the evidence: made by code from the numbers, nothing in them that was not measured."""

import json
from collections.abc import Sequence
from datetime import datetime

from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.templates import Template
from runbook_bot.analysis.vitals import Anomaly
from runbook_bot.domain.hypothesis import Prediction
from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.observation import Change, LogLine
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.saying import clock, quantity
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import FailureMode, Signal


def place(resource: Resource | None) -> str:
    if resource is None:
        return "the service"
    return f"{resource.type.replace('_', ' ')} {resource.name}"


def series(resource: Resource, signal: Signal, moved: Shift, onset: float | None) -> str:
    name = f"{signal.replace('_', ' ')} of {resource.name}"
    if moved.moved == "steady":
        return f"{name} stayed at about {quantity(signal, moved.baseline)}"
    if moved.level == moved.baseline:
        return f"{name} stood at about {quantity(signal, moved.level)} all the time"
    verb = "rose" if moved.moved == "rises" else "fell"
    text = f"{name} {verb} from {quantity(signal, moved.baseline)} to {quantity(signal, moved.level)}"
    if moved.onset is not None:
        text += f" from {clock(moved.onset)}"
        if onset is not None and abs(moved.onset - onset) >= 60:
            minutes = abs(moved.onset - onset) / 60
            text += f", {minutes:.0f} min {'before' if moved.onset < onset else 'after'} the onset"
    if moved.ended is not None:
        text += f", back to normal at {clock(moved.ended)}"
    return text


def share(height: float, limit: float, level: float | None = None) -> str:
    """How near it came; the height is said where it is not the level that was told before."""
    least = "that" if level is None or abs(height - level) <= 0.005 * abs(height) else f"at most {height:.3g}, that"
    return f"{least} is {100 * height / limit:.0f} % of the limit of {limit:g}"


def failed(expected: str, result: Result) -> str:
    why = redact(result.message)[:200] or str(result.status)
    return f"not known whether {expected}: {why} ({result.where})"


def not_measured(expected: str) -> str:
    return f"not known whether {expected}: nothing measures it"


def nothing_there(prediction: Prediction, result: Result) -> str:
    signal = (prediction.signal or "the metric").replace("_", " ")
    return f"no data on {signal} of {prediction.resource.name if prediction.resource else ''} ({result.where})"


def too_few(prediction: Prediction, moved: Shift) -> str:
    return f"{prediction.signal}: {moved.points} points are too few to tell"


SPOKEN = ("msg", "message", "error", "exception", "event", "log")
"""Fields in which structured logs keep their sentence."""


def said(line: str) -> str:
    """The sentence of a structured log line; any other line as it is."""
    if not line.lstrip().startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    return next((value for name in SPOKEN if isinstance(value := fields.get(name), str) and value), line)


def _quote(text: str) -> str:
    one_line = " ".join(redact(said(text)).split())
    return f"«{one_line[:160]}{'…' if len(one_line) > 160 else ''}»"


def new_complaint(where: str, found: Template, how_many: int) -> str:
    more = f" and {how_many - 1} more kinds" if how_many > 1 else ""
    counts = f"{found.after} lines of a new kind after the onset ({found.before} before)"
    return f"{where} logs {counts}: {_quote(found.exemplar)}{more}"


def blames(where: str, dependency: str) -> str:
    return f"the new complaints of {where} name {dependency}"


def named_outright(where: str, named: FailureMode, found: Template) -> str:
    return f"the new complaints of {where} speak of another fault, {named.replace('_', ' ')}: {_quote(found.exemplar)}"


def no_new_complaint(where: str, lines: int, result: Result) -> str:
    return f"{where} logs no new kind of complaint ({lines} lines read, {result.where})"


def matches(
    where: str, wanted: Sequence[str], found: Sequence[Template], before: int, after: int, result: Result
) -> str:
    if not found:
        return f"{where}: none of {', '.join(wanted[:3])}{', …' if len(wanted) > 3 else ''} ({result.where})"
    return f"{where}: {after} lines after the onset, {before} before: {_quote(found[0].exemplar)}"


def changes_unknown(message: str) -> str:
    return f"what was changed could not be read{': ' + redact(message)[:200] if message else ''}"


def change(found: Change, onset: datetime) -> str:
    minutes = (onset - found.at).total_seconds() / 60
    when = f"{minutes:.0f} min before the onset" if minutes >= 1 else "at the onset"
    who = f" by {found.actor}" if found.actor else ""
    spoken = redact(found.summary).split()
    if len(spoken) > 1 and spoken[1].startswith(f"{spoken[0]}:"):
        spoken = spoken[1:]  # the revision names the service already
    summary = " ".join(_short(word) for word in spoken)
    fields = ", ".join(
        f"{name}: {before} → {after}"
        for name in sorted({*found.before, *found.after})[:4]
        for before, after in [(_short(found.before.get(name, "–")), _short(found.after.get(name, "–")))]
        if before not in summary or after not in summary
    )
    return f"{summary}{who} at {found.at:%H:%M} UTC, {when}{' (' + redact(fields) + ')' if fields else ''}"


def _short(value: str) -> str:
    """An address or a path by its last part: `…/api:2.15.0` is what tells two images apart."""
    tail = value.rsplit("/", 1)[-1] if "/" in value and len(value) > 30 else value
    return tail if len(tail) <= 60 else tail[:59] + "…"


def no_change(service: str, kinds: Sequence[str], how_many: int, message: str) -> str:
    late = f" ({how_many} lie after the onset or long before)" if how_many else ""
    gap = f"; but {redact(message)[:160]}" if message else ""
    return f"no {' or '.join(kinds)} of {service} shortly before the onset{late}{gap}"


def mechanism(found: Anomaly, made: Change, lag: float) -> str:
    name = f"{found.signal.replace('_', ' ')} of {found.resource.name} began to move at {clock(found.onset)}"
    minutes = abs(lag) / 60
    return f"{name}, {minutes:.0f} min {'after' if lag >= 0 else 'before'} the change of {made.at:%H:%M} UTC"


def limit_changed(name: str, made: Change) -> str:
    fields = ", ".join(f"{made.before.get(key, '–')} → {value}" for key, value in made.after.items() if key)
    return f"the {name} itself was changed at {made.at:%H:%M} UTC ({redact(fields)[:120]})"


def vitals(service: str, moved: Sequence[Anomaly], read: int, onset: float | None) -> str:
    if not moved:
        return f"all {read} vital signs of {service} that could be read stayed in their range"
    return "; ".join(series(a.resource, a.signal, a.shift, onset) for a in moved[:2])


def movers(service: str, first: Sequence[str]) -> str:
    if not first:
        return f"no dependency of {service} moved before it"
    return f"{', '.join(first)} moved no later than {service}"


def reported(dependency: str, told: LogLine) -> str:
    return f"reported of {dependency} at {told.at:%H:%M} UTC: {_quote(told.text)}"


def no_report(place: str, events: int) -> str:
    return f"{place}: {f'none of {events} events speaks' if events else 'no event that would speak'} of trouble"


def unwatched(names: Sequence[str]) -> str:
    return f"nothing of {', '.join(names[:3])} can be measured from here"


def mover(dependency: str, seen: bool) -> str:
    return (
        f"{dependency}, or what it depends on, moved no later"
        if seen
        else f"neither {dependency} nor what it depends on moved before"
    )


def history(found: Symptom, lowest: float, highest: float) -> str:
    name = found.signal.replace("_", " ")
    return (
        f"the day before, {name} lay between {quantity(found.signal, lowest)} and {quantity(found.signal, highest)}; "
        f"now it is {quantity(found.signal, found.level)}"
    )

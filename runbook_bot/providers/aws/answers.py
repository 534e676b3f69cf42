"""How what AWS said becomes a `Result`: the words for every ending that is not plain success."""

from collections.abc import Iterable, Sequence

from runbook_bot.domain.noun import Json, iso
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed

_OF_ALL_CALLS = ("credentials", "clock", "wrong_account", "unreachable")
_NAMED = 4
"""Permissions that are named where many lack."""
_WORST = (Status.denied, Status.error, Status.no_data)


def between(window: TimeWindow) -> str:
    return f"{iso(window.start)} to {iso(window.end)}"


def failed(failure: CallFailed, source: str, where: str, asked: Json) -> Result:
    """A query that one failed call ended."""
    return Result(status=failure.status, source=source, asked=asked, where=where, message=str(failure))


def gaps(failures: Iterable[CallFailed]) -> str:
    """What could not be seen, each cause once: without credentials or a network every call says the same.

    Of many permissions that lack the first few are named; `doctor --aws` names them all.
    """
    told = {each.kind if each.kind in _OF_ALL_CALLS else str(each): each for each in failures}
    denied = [each for each in told.values() if each.kind == "denied"]
    shown = [str(each) for each in told.values() if each.kind != "denied" or len(denied) <= _NAMED or each is denied[0]]
    if len(denied) > _NAMED:
        names = dict.fromkeys(each.action for each in denied[1:])
        shown.append(f"{len(names)} more permissions lack: {', '.join(list(names)[: _NAMED - 1])}, …")
    return "; ".join(shown)


def worst(failures: Sequence[CallFailed]) -> Status:
    """The status of a query of which nothing came back; `no_data` where nothing failed."""
    found = {each.status for each in failures}
    return next((status for status in _WORST if status in found), Status.no_data)


def combined(results: Sequence[tuple[str, Result]]) -> Result:
    """One answer out of those of several places, each with the place's name. What some have is enough."""
    if len(results) == 1:
        return results[0][1]
    full = [(name, r) for name, r in results if r.series or r.lines or r.changes or r.facts or r.alarms or r.rows]
    others = [(name, r) for name, r in results if r.status in (Status.denied, Status.error)]
    unseen = "; ".join(f"{name}: {r.message}" for name, r in others)
    if not full:
        order = {status: rank for rank, status in enumerate(_WORST)}
        chosen = min((r for _, r in results), key=lambda r: order.get(r.status, len(order)))
        return chosen.model_copy(update={"message": unseen or chosen.message})
    first = full[0][1]
    # What is one thing is found where it is; a list is not whole where somebody could not be asked.
    listed = any(r.rows or r.alarms for _, r in full)
    whole = all(r.status is Status.ok for _, r in full) and not (listed and others)
    told = "; ".join(part for part in (*(r.message for _, r in full), unseen) if part)
    return Result(
        status=Status.ok if whole else Status.truncated,
        source=first.source,
        asked=first.asked if len(full) == 1 else {"places": [{"place": name, **r.asked} for name, r in full]},
        where=" and ".join(dict.fromkeys(r.where for _, r in full)),
        message=told,
        series=tuple(s for _, r in full for s in r.series),
        lines=tuple(line for _, r in full for line in r.lines),
        changes=tuple(sorted((c for _, r in full for c in r.changes), key=lambda c: c.at)),
        facts=tuple(f for _, r in full for f in r.facts),
        alarms=tuple(a for _, r in full for a in r.alarms),
        rows=tuple(row.model_copy(update={"place": name}) for name, r in full for row in r.rows),
        console=first.console,
        age=max(r.age for _, r in full),
    )

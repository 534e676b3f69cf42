"""Did it help? The symptom's own metric is read again until it is back at its baseline, or the time is up."""

from datetime import datetime, timedelta
from itertools import pairwise

from runbook_bot.analysis.shift import Floats, clean, filled
from runbook_bot.analysis.vitals import COMPANIONS, COUNTS
from runbook_bot.domain.approval import Verification
from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.investigation import Remedy
from runbook_bot.domain.journal import Checked, Verified
from runbook_bot.domain.saying import clock as said
from runbook_bot.domain.saying import quantity
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadMetrics, Result
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.world import World

STEP = 10.0
"""Seconds between points asked for; a source with coarser points answers with those."""
PAUSE = timedelta(seconds=8)
"""Between two looks."""
SETTLING = timedelta(seconds=10)
"""After a change nothing is read into the metric for so long."""
COARSE = timedelta(seconds=60)


class Aftermath:
    """Looks at the world after a change."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def look(self, remedy: Remedy, now: datetime) -> Checked | Verified | None:
        """The next entry, or None where it is too early to look."""
        wanted, done = remedy.proposal.verification, remedy.executed_at
        id = remedy.proposal.id
        if done is None:
            return None
        if wanted is None:
            undoing = remedy.proposal.undoes is not None
            text = "a roll-back is not measured" if undoing else "no metric belongs to the complaint"
            return Verified(proposal=id, recovered=None, text=text)
        if now < done + SETTLING + timedelta(seconds=STEP):
            return None
        with reading_afresh():
            result = await self._world.ask(_question(wanted, done, now))
        level, recovered, when = _recovered(wanted, result, done)
        name = f"{wanted.signal.replace('_', ' ')} of {wanted.resource.name}"
        reach = f"{quantity(wanted.signal, wanted.level)} when it was proposed"
        if recovered and level is not None:
            text = f"{name} is back at {quantity(wanted.signal, level)} ({reach}) at {said(when)}"
            return Verified(proposal=id, recovered=True, text=text)
        if now >= done + timedelta(seconds=wanted.within_seconds):
            minutes = wanted.within_seconds / 60
            if level is None:
                return Verified(
                    proposal=id, recovered=None, text=f"{name}: no data in {minutes:.0f} min ({result.where})"
                )
            text = (
                f"{name} is at {quantity(wanted.signal, level)} after {minutes:.0f} min ({reach}): it did not recover"
            )
            return Verified(proposal=id, recovered=False, text=text)
        if level is None:
            return Checked(proposal=id, level=None, recovered=False, text=f"{name}: no data yet")
        return Checked(proposal=id, level=level, recovered=False, text=f"{name} is at {quantity(wanted.signal, level)}")


def _question(wanted: Verification, done: datetime, now: datetime) -> ReadMetrics:
    signals = (wanted.signal,) if wanted.signal is Signal.value else (wanted.signal, *COMPANIONS)
    return ReadMetrics(
        resources=(wanted.resource,),
        signals=tuple(dict.fromkeys(signals)),
        window=TimeWindow(start=done - timedelta(minutes=2), end=max(now, done + timedelta(minutes=1))),
        step=STEP,
    )


def _recovered(wanted: Verification, result: Result, done: datetime) -> tuple[float | None, bool, float]:
    """The level since the change, whether it is back, and when the last point was."""
    series = {s.signal: s for s in result.series if s.resource.key == wanted.resource.key}
    found = series.get(wanted.signal)
    after = (done + SETTLING).timestamp()
    t, v = clean(found.times, found.values) if found else clean([], [])
    if wanted.signal in COUNTS or _summed(wanted.resource):
        # An absent count is a zero only as long as the resource is seen to be watched.
        companion = next((series[s] for s in COMPANIONS if s in series and len(series[s].times)), None)
        if companion is not None:
            watched, _ = clean(companion.times, companion.values)
            t, v = filled(t, v, float(watched[0]), float(watched[-1]) + 1.0, _pitch(watched))
    late = t >= after
    t, v = t[late], v[late]
    if not t.size:
        return None, False, after
    enough = 3 if _pitch(t) < COARSE.total_seconds() else 2
    last = v[-enough:]
    border = wanted.baseline + 0.3 * (wanted.level - wanted.baseline)
    back = bool((last <= border).all()) if wanted.moved == "rises" else bool((last >= border).all())
    return float(last.mean()), back and last.size >= enough, float(t[-1])


def _summed(resource: Resource) -> bool:
    return resource.statistic == "Sum"


def _pitch(t: Floats) -> float:
    gaps = [b - a for a, b in pairwise(t.tolist())]
    return max(1.0, min(gaps)) if gaps else STEP

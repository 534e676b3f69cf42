"""How well a change fits as the cause of a trouble, by time alone."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from runbook_bot.domain.observation import Change

TOLERANCE = timedelta(minutes=3)
"""Clocks differ, metrics come by the minute, and an onset is known to a few points only."""
FADES = timedelta(minutes=20)
"""Most changes that hurt, hurt at once: the fit falls by e in this time before the onset."""


def proximity(change: datetime, onset: datetime) -> float:
    """Between 0 and 1. A change after the onset cannot be its cause: 0."""
    if change > onset + TOLERANCE:
        return 0.0
    distance = max(onset - change, timedelta(0))
    grace = timedelta(minutes=5)
    return 1.0 if distance <= grace else math.exp(-(distance - grace) / FADES)


def nearest(changes: Iterable[Change], onset: datetime) -> tuple[Change, float] | None:
    """The change that fits best and its fit; None where none can be a cause."""
    fitting = [(change, proximity(change.at, onset)) for change in changes]
    best = max(fitting, key=lambda pair: (pair[1], pair[0].at), default=None)
    return best if best is not None and best[1] > 0.02 else None

"""Fits the calibration on the seen part, and tells on the unseen one what it is worth."""

import math
from collections.abc import Sequence
from pathlib import Path

import yaml

from runbook_bot.domain.calibration import FILE, Calibration, committed, logit
from runbook_bot.errors import RunbookError
from runbook_bot.evaluation.marking import Mark
from runbook_bot.evaluation.scoring import brier, expected_calibration_error

FEWEST = 30
"""Cases below which two numbers would follow chance."""
_STEPS = 100
_STRIDE = 0.5
_RIDGE = 1e-3
_FLATTEST = 0.05
"""The least slope: an answer with more evidence for it is never the less likely one."""

Forecasts = Sequence[tuple[float, float]]
"""Logit of a share, and the target."""


def shares(marks: Sequence[Mark], applied: Calibration | None = None) -> list[tuple[float, bool]]:
    """The share of the evidence of each first answer, as it was before the committed calibration, and whether right."""
    applied = applied or committed()
    return [(applied.undone(m.confidence), m.first_right) for m in marks if not m.problem]


def fit(forecasts: Sequence[tuple[float, bool]], seed: int) -> Calibration:
    """Maximum likelihood by Newton's method, with Platt's targets: no answer counts as wholly right or wrong.

    Raises `RunbookError` for too few cases.
    """
    if len(forecasts) < FEWEST:
        raise RunbookError(f"{len(forecasts)} cases are too few to calibrate on; {FEWEST} are needed")
    rights = sum(right for _, right in forecasts)
    high, low = (rights + 1) / (rights + 2), 1 / (len(forecasts) - rights + 2)
    data = [(logit(share), high if right else low) for share, right in forecasts]
    slope, intercept = 1.0, 0.0
    for _ in range(_STEPS):
        da, db = _step(data, slope, intercept)
        slope, intercept = max(slope - da, _FLATTEST), intercept - db
        if abs(da) + abs(db) < 1e-9:
            break
    return Calibration(slope=round(max(slope, _FLATTEST), 4), intercept=round(intercept, 4), cases=len(data), seed=seed)


def _step(data: Forecasts, slope: float, intercept: float) -> tuple[float, float]:
    """How far Newton would go in slope and intercept, at most `_STRIDE` each: far away the curve is no parabola."""
    ga, gb, haa, hab, hbb = _RIDGE * (slope - 1), 0.0, _RIDGE, 0.0, _RIDGE
    for x, target in data:
        p = (1 + math.tanh((slope * x + intercept) / 2)) / 2
        weight = max(p * (1 - p), 1e-9)
        ga += (p - target) * x
        gb += p - target
        haa += weight * x * x
        hab += weight * x
        hbb += weight
    if slope <= _FLATTEST and ga > 0:  # at the edge only the intercept is left to move
        return 0.0, min(max(gb / hbb, -_STRIDE), _STRIDE)
    determinant = haa * hbb - hab * hab
    da, db = (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
    return min(max(da, -_STRIDE), _STRIDE), min(max(db, -_STRIDE), _STRIDE)


def compared(forecasts: Sequence[tuple[float, bool]], calibration: Calibration) -> dict[str, tuple[float, float]]:
    """Brier score and calibration error of the raw shares and of the probabilities made of them."""
    after = [(calibration.of(share), right) for share, right in forecasts]
    return {
        "Brier": (round(brier(forecasts), 4), round(brier(after), 4)),
        "ECE": (round(expected_calibration_error(forecasts), 4), round(expected_calibration_error(after), 4)),
    }


def write(calibration: Calibration, file: Path = FILE) -> None:
    """As the data that comes with the program. Raises `RunbookError` where the file cannot be written."""
    head = "# Written by `runbook-bot eval calibrate`; see calibration.py.\n"
    try:
        file.write_text(head + yaml.safe_dump(calibration.model_dump(), sort_keys=False), encoding="utf-8")
    except OSError as problem:
        raise RunbookError(f"{file} cannot be written: {problem.strerror or problem}") from None

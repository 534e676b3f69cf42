"""From a share of the evidence to a probability: how often an answer that sure turned out to be right.

Logistic recalibration, a slope and an intercept on the logit (D. R. Cox, "Two further applications of a model for
binary regression", Biometrika 1958; J. Platt, "Probabilistic outputs for support vector machines", 1999). It is
monotone: the order of answers stays what the evidence made it. The two numbers are fitted on the seen part of the
scenario suite by `runbook-bot eval calibrate`, and stand in `calibration.yaml` beside this file with what they were
fitted on.
"""

import functools
import math
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("calibration.yaml")
_EDGE = 0.002
"""Nothing is surer than this allows: an incident is never the same twice."""


class Calibration(BaseModel):
    """Two numbers, and where they come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0
    cases: int = 0
    """How many it was fitted on; 0: none, and nothing is changed."""
    seed: int = 0
    """Of the suite that it was fitted on."""

    def of(self, share: float) -> float:
        """The probability for a share of the evidence."""
        if not self.cases or share <= 0:
            return share
        return _clipped(1 / (1 + math.exp(-(self.intercept + self.slope * logit(share)))))

    def undone(self, probability: float) -> float:
        """The share of the evidence that has this probability."""
        if not self.cases or probability <= 0:
            return probability
        return _clipped(1 / (1 + math.exp(-(logit(probability) - self.intercept) / self.slope)))


def logit(share: float) -> float:
    share = _clipped(share)
    return math.log(share / (1 - share))


def _clipped(share: float) -> float:
    return min(1 - _EDGE, max(_EDGE, share))


@functools.cache
def committed() -> Calibration:
    """The one that comes with the program."""
    return Calibration.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))

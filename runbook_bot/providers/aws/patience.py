"""How much longer than usual AWS may take to answer, where what answers shares a busy machine with everything else."""

import math
import os
from collections.abc import Mapping

VARIABLE = "RUNBOOK_PATIENCE"
MOST = 10.0


def patience(environment: Mapping[str, str] = os.environ) -> float:
    """The factor by which time-outs are longer: what the variable says, from 1 to 10; 1 where it says nothing."""
    try:
        factor = float(environment.get(VARIABLE) or 1)
    except ValueError:
        return 1.0
    return 1.0 if math.isnan(factor) else min(max(factor, 1.0), MOST)

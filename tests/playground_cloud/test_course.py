"""The course of a fault over time, and the recovery after it is mended."""

from datetime import timedelta

import pytest

from runbook_bot.playground.cloud.course import Course
from runbook_bot.playground.cloud.plot import Fault

NOW = 1_000_000.0


def course(**how: object) -> Course:
    effect = {"of": "x:y", "metric": "m", "times": 2}
    return Course.of(Fault.model_validate({"onset": "-10m", "effects": [effect], **how}), NOW)


def level(of: Course, at: float, delay: float = 0.0) -> float:
    return float(of.severity([NOW + at], timedelta(seconds=delay), None)[0])


def test_a_step_is_there_at_once_and_grows() -> None:
    step = course(growth=0.1, worst=1.5)
    assert [level(step, at) for at in (-601, -599, -300, 3600)] == pytest.approx([0, 1, 1.5, 1.5], abs=0.01)


def test_a_ramp_climbs_and_an_effect_may_come_later() -> None:
    ramp = course(rise="10m")
    assert [level(ramp, at) for at in (-600, -300, 0, 60)] == pytest.approx([0, 0.5, 1, 1])
    assert level(ramp, 0, delay=300) == pytest.approx(0.5)


def test_it_fades_in_a_straight_line_once_mended_and_may_come_back() -> None:
    mended = course(recovery="4s")
    mended.mend(NOW)
    assert [level(mended, at) for at in (-1, 1, 2, 4, 600)] == pytest.approx([1, 0.75, 0.5, 0, 0])
    assert not mended.active
    mended.relapse(NOW + 60)
    assert [level(mended, at) for at in (30, 61)] == pytest.approx([0, 1])
    assert level(mended, 61, delay=300) == 1, "it does not begin all over"
    assert level(mended.unmended(), 30) == 1


def test_what_is_not_mended_in_full_fades_from_where_it_stood() -> None:
    early = course(rise="20m", recovery="10s")
    early.mend(NOW)
    assert [level(early, at) for at in (0, 5, 10)] == pytest.approx([0.5, 0.25, 0], abs=0.005)

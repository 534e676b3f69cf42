"""How fast Slack is called, by a clock that is turned by hand."""

from dataclasses import dataclass
from itertools import pairwise

from runbook_bot.slack.pace import Bucket, Window


@dataclass
class Hand:
    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def _calls(window: Window, hand: Hand, seconds: float, *, progress: bool) -> list[float]:
    """The moments at which calls were made by somebody who always has one more."""
    made = []
    until = hand.at + seconds
    while hand.at < until:
        wait = window.wait(progress=progress)
        if wait > 0:
            hand.at += wait + 1e-6
            continue
        window.count()
        made.append(hand.at)
    return made


def test_never_more_than_the_tier_in_any_minute() -> None:
    hand = Hand()

    made = _calls(Window(50, hand), hand, 300, progress=False)

    assert all(later - earlier >= 60 for earlier, later in zip(made, made[50:], strict=False))
    assert len(made) >= 250


def test_progress_leaves_a_fifth_for_what_is_final() -> None:
    hand = Hand()
    window = Window(50, hand)

    made = _calls(window, hand, 59, progress=True)

    assert len(made) <= 40
    assert window.wait() == 0.0


def test_once_it_is_busy_progress_is_spread_so_that_nothing_waits_long() -> None:
    hand = Hand()

    made = _calls(Window(50, hand), hand, 600, progress=True)

    settled = [later - earlier for earlier, later in pairwise(made) if earlier > 1060]
    assert max(settled) < 6.0


def test_a_retry_after_closes_it_for_everybody() -> None:
    hand = Hand()
    window = Window(50, hand)

    window.close_for(7)

    assert window.wait() == 7.0
    hand.at += 7
    assert window.wait() == 0.0


def test_a_few_posts_at_once_then_one_a_second() -> None:
    hand = Hand()
    bucket = Bucket(now=hand)

    for _ in range(6):
        assert bucket.wait() == 0.0
        bucket.count()

    assert bucket.wait() == 1.0
    hand.at += 3
    assert bucket.wait() == 0.0

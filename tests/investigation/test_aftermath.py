"""Did it help? The symptom's own metric says so; where it says nothing, neither do we."""

from datetime import datetime, timedelta

import pytest

from runbook_bot.domain.approval import Outcome, Proposal, Verification
from runbook_bot.domain.investigation import Remedy
from runbook_bot.domain.journal import Checked, Verified
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Query, ReadMetrics, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.investigation.aftermath import Aftermath
from runbook_bot.investigation.world import World
from tests.approval.world import preparation
from tests.investigation.town import NOW, Town, market

TARGETS = Resource(type=ResourceType.target_group, name="orders-tg")
Points = dict[float, float]
"""Values by seconds since the change."""


class Told(Town):
    """Answers with the points it was given."""

    def __init__(self, **points: Points) -> None:
        super().__init__(market().graph)
        self.points = points

    async def ask(self, query: Query) -> Result:
        assert isinstance(query, ReadMetrics)
        series = tuple(
            Series(
                name=name, signal=Signal(name), resource=TARGETS, step=query.step,
                times=tuple(NOW.timestamp() + s for s in given), values=tuple(given.values()),
            )
            for name, given in self.points.items() if Signal(name) in query.signals
        )  # fmt: skip
        return Result(status=Status.ok if series else Status.no_data, source="town", where="the town", series=series)


def remedy(moved: str = "rises", baseline: float = 1.0, level: float = 200.0, signal: str = "errors") -> Remedy:
    wanted = {"resource": TARGETS, "signal": signal, "moved": moved, "baseline": baseline, "level": level}
    proposal = Proposal(
        id="inv-1.P1",
        investigation="inv-1",
        preparation=preparation(),
        requester="U1",
        proposed_by="catalogue",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        verification=Verification.model_validate(wanted),
    )
    return Remedy(proposal, spent=True, outcome=Outcome(took_effect=True, message=""), executed_at=NOW)


async def looked(town: Town, made: Remedy, seconds: float = 300) -> Checked | Verified | None:
    return await Aftermath(World([town])).look(made, NOW + timedelta(seconds=seconds))


EVERY_TEN = [10.0 * n for n in range(2, 20)]
BUSY = dict.fromkeys(EVERY_TEN, 900.0)


@pytest.mark.parametrize(
    ("points", "moved", "baseline", "level", "back"),
    [
        ({20: 200, 30: 150, 40: 2, 50: 1, 60: 2}, "rises", 1, 200, True),
        ({20: 200, 30: 150, 40: 120, 50: 2, 60: 1}, "rises", 1, 200, False),
        ({20: 1, 30: 1, 40: 180, 50: 1, 60: 1}, "rises", 1, 200, False),
        ({20: 50, 30: 48, 40: 52}, "rises", 1, 200, True),
        ({20: 1, 30: 3.8, 40: 4, 50: 4}, "falls", 4, 1, True),
        ({20: 1, 30: 1, 40: 2, 50: 4}, "falls", 4, 1, False),
        ({60: 2, 120: 1}, "rises", 1, 200, True),
        ({60: 1}, "rises", 1, 200, False),
        ({-60: 1, -30: 1, 0: 1, 5: 1}, "rises", 1, 200, False),
    ],
    ids=["back", "on its way", "once more", "low enough", "risen", "half", "coarse", "one point", "only before"],
)
async def test_recovered_is_what_stays_back(
    points: Points, moved: str, baseline: float, level: float, back: bool
) -> None:
    seen = await looked(Told(latency=points), remedy(moved, baseline, level, "latency"))
    assert isinstance(seen, Verified if back else Checked)
    assert seen.recovered is back


async def test_it_is_too_early_to_look() -> None:
    town = Told(latency={20: 1, 30: 1, 40: 1})
    assert await looked(town, remedy(), 5) is None
    assert town.asked == []


async def test_what_does_not_recover_in_time_is_said() -> None:
    seen = await looked(Told(latency=dict.fromkeys(EVERY_TEN, 3.0)), remedy("rises", 0.1, 3.0, "latency"), 601)
    assert isinstance(seen, Verified)
    assert seen.recovered is False
    assert seen.text == "latency of orders-tg is at 3 s after 10 min (3 s when it was proposed): it did not recover"


async def test_without_data_it_cannot_be_told() -> None:
    early = await looked(Told(), remedy(), 120)
    assert isinstance(early, Checked)
    assert (early.level, early.recovered) == (None, False)
    late = await looked(Told(), remedy(), 700)
    assert isinstance(late, Verified)
    assert late.recovered is None
    assert "no data" in late.text


async def test_errors_that_are_no_longer_counted_are_zero_only_while_requests_are() -> None:
    unwatched = await looked(Told(), remedy())
    assert isinstance(unwatched, Checked), "silence is no recovery"
    watched = await looked(Told(requests=BUSY), remedy())
    assert isinstance(watched, Verified)
    assert watched.recovered is True
    still = await looked(Told(requests=BUSY, errors=dict.fromkeys(EVERY_TEN, 190.0)), remedy())
    assert isinstance(still, Checked)
    assert still.level == pytest.approx(190)


async def test_a_denied_look_is_no_recovery() -> None:
    town = market()
    town.denied = frozenset({"read_metrics"})
    seen = await looked(town, remedy())
    assert isinstance(seen, Checked)
    assert seen.level is None


async def test_what_has_no_metric_is_not_measured() -> None:
    made = remedy()
    bare = Remedy(made.proposal.model_copy(update={"verification": None}), outcome=made.outcome, executed_at=NOW)
    seen = await looked(Told(), bare)
    assert isinstance(seen, Verified)
    assert seen.recovered is None


async def test_what_was_not_done_is_not_looked_at() -> None:
    assert await looked(Told(), Remedy(remedy().proposal)) is None


@pytest.mark.parametrize("moment", [NOW, NOW + timedelta(days=3)])
async def test_only_the_time_since_the_change_is_read(moment: datetime) -> None:
    town = market()
    await Aftermath(World([town])).look(remedy(), max(moment, NOW + timedelta(seconds=60)))
    (query,) = town.asked
    assert isinstance(query, ReadMetrics)
    assert query.window.start >= NOW - timedelta(minutes=2)

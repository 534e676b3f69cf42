"""From the verdict to the repair: proposed once, run once and if approved, looked at afterwards, undone if asked."""

import shutil
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.domain.journal import (
    Body,
    ChangeProposed,
    Entry,
    Executed,
    Opened,
    RollbackAsked,
    Ruled,
    Spent,
    Steered,
    StepsFound,
    Verified,
)
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.vocabulary import FailureMode, Repair
from runbook_bot.errors import JournalError
from runbook_bot.investigation.aftermath import PAUSE
from runbook_bot.investigation.limits import AgentSettings
from tests.approval.world import ALICE, BYSTANDER, REQUESTER
from tests.investigation import troubles
from tests.investigation.repairing import ASKED, Bench
from tests.investigation.running import ID, HandClock, Paper, Running

BOOK = Passage(
    document="orders.md",
    kind="runbook",
    title="Orders",
    text="…",
    score=0.9,
    failure_modes=(FailureMode.bad_deployment,),
)


class Memory:
    async def search(self, text: str, *, services: Iterable[str] = (), top: int = 8) -> Sequence[Passage]:
        other = BOOK.model_copy(update={"document": "disk.md", "failure_modes": (FailureMode.disk_exhaustion,)})
        past = BOOK.model_copy(update={"document": "2025-11.md", "kind": "postmortem"})
        return [past, other, BOOK]

    async def steps(self, passage: Passage) -> Sequence[str]:
        return [f"Open {passage.document}.", "Roll back."]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "audit", Running(troubles.bad_deployment()))


async def test_a_cause_that_can_be_mended_is_proposed_once(bench: Bench) -> None:
    wake = await bench.advance(ID)
    proposal = bench.proposal
    assert bench.actuator.asked[0] == (Repair.roll_back, "orders")
    assert bench.actuator.ran == []
    assert proposal.hypothesis is not None
    assert proposal.evidence
    assert proposal.requester == REQUESTER
    assert proposal.verification is not None
    assert proposal.verification.resource.name == "orders-tg"
    assert wake == proposal.expires_at
    before = bench.kinds()
    await bench.advance(ID)
    assert bench.kinds() == before


async def test_the_runbook_that_fits_is_quoted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Running(troubles.bad_deployment(), knowledge=Memory()), memory=Memory())
    await bench.advance(ID)
    assert bench.case.steps == (
        StepsFound(runbook="orders.md", title="Orders", steps=("Open orders.md.", "Roll back.")),
    )
    assert bench.proposal.runbook == "orders.md"


async def test_where_nothing_is_wrong_nothing_is_repaired(tmp_path: Path) -> None:
    running = Running(troubles.nothing())
    bench = Bench(tmp_path, running, running.opened("search seems odd"))
    assert await bench.advance(ID) is None
    assert bench.case.remedies == {}
    assert bench.actuator.asked == []
    assert bench.case.notes[-1].text == "no repair is proposed: there is no cause to repair"


@pytest.mark.parametrize(
    ("refused", "said"), [("ecs: AccessDenied", "ecs: AccessDenied"), ("", "roll back does not fit orders")]
)
async def test_why_no_repair_is_proposed(bench: Bench, refused: str, said: str) -> None:
    bench.actuator.refused, bench.actuator.fits = refused, False
    await bench.advance(ID)
    assert bench.case.remedies == {}
    assert said in bench.case.notes[-1].text
    tried = list(bench.actuator.asked)
    await bench.advance(ID)
    assert bench.actuator.asked == tried, "it is not tried again and again"


async def test_a_cause_that_is_found_because_a_person_asked_is_repaired_as_well(tmp_path: Path) -> None:
    running = Running(troubles.bad_deployment(), AgentSettings(max_iterations=1))
    bench = Bench(tmp_path, running, running.opened(ASKED.model_copy(update={"text": "storefront is failing"})))
    await bench.advance(ID)
    assert bench.case.remedies == {}, "where it stopped there is nothing to mend"
    running.limits = AgentSettings()
    again = Bench(tmp_path, running, bench.journal)
    above = next(h.id for h in bench.case.hypotheses.values() if h.service == "cart" and h.parent is None)
    bench.journal.append(Steered(hypothesis=above, action="dig", by=ALICE, delivery="dig"))
    await again.advance(ID)
    assert again.case.verdict is not None
    assert again.case.verdict.root_cause is not None
    assert again.case.verdict.root_cause.failure_mode is FailureMode.bad_deployment
    assert again.proposal.preparation.call.operation == "ecs.update_service"
    before = again.kinds()
    bench.journal.append(
        Steered(hypothesis=again.proposal.hypothesis or "", action="known", by=ALICE, delivery="known")
    )
    await again.advance(ID)
    assert again.kinds().count("change_proposed") == before.count("change_proposed") == 1


async def approved(bench: Bench) -> None:
    await bench.advance(ID)
    bench.shown()
    bench.press()
    await bench.advance(ID)


async def test_approved_run_once_and_seen_to_recover(bench: Bench) -> None:
    await approved(bench)
    assert bench.kinds()[-3:] == ["ruled", "spent", "executed"]
    assert bench.actuator.ran == [bench.proposal.id]
    wake = None
    for _ in range(8):
        bench.clock.time += timedelta(seconds=60)
        wake = await bench.advance(ID)
        if bench.case.remedies[bench.proposal.id].verified:
            break
        assert wake == bench.clock.time + PAUSE
    remedy = bench.case.remedies[bench.proposal.id]
    assert remedy.state == "verified"
    assert remedy.verified is not None
    assert "errors of orders-tg is back at" in remedy.verified.text
    assert wake is None
    assert bench.actuator.ran == [bench.proposal.id]


async def test_what_did_not_help_is_said_in_the_end(bench: Bench) -> None:
    bench.actuator.mends = False
    await approved(bench)
    for _ in range(12):
        bench.clock.time += timedelta(seconds=60)
        await bench.advance(ID)
    verified = bench.case.remedies[bench.proposal.id].verified
    assert verified is not None
    assert verified.recovered is False
    assert "did not recover" in verified.text


@pytest.mark.parametrize("user", [BYSTANDER, REQUESTER])
async def test_who_may_not_is_told_and_nothing_runs(bench: Bench, user: str) -> None:
    await bench.advance(ID)
    bench.shown()
    bench.press(user)
    await bench.advance(ID)
    remedy = bench.case.remedies[bench.proposal.id]
    assert remedy.state == "open"
    assert remedy.rulings[0].outcome == "denied"
    assert bench.actuator.ran == []
    bench.press(ALICE)
    await bench.advance(ID)
    assert bench.actuator.ran == [bench.proposal.id]


async def test_rejected_is_rejected(bench: Bench) -> None:
    await bench.advance(ID)
    bench.shown()
    bench.press(verdict="reject", reason="we are looking ourselves")
    assert await bench.advance(ID) is None
    bench.press()
    await bench.advance(ID)
    assert bench.case.remedies[bench.proposal.id].state == "rejected"
    assert bench.actuator.ran == []


async def test_what_nobody_decides_lapses(bench: Bench) -> None:
    wake = await bench.advance(ID)
    assert wake is not None
    bench.clock.time = wake
    assert await bench.advance(ID) is None
    assert bench.case.remedies[bench.proposal.id].state == "void"


async def test_a_rollback_that_is_asked_for_is_a_proposal_of_its_own(bench: Bench) -> None:
    await approved(bench)
    first = bench.proposal
    bench.journal.append(RollbackAsked(proposal=first.id, by=ALICE, delivery="back"))
    await bench.advance(ID)
    await bench.advance(ID)
    assert len(bench.case.remedies) == 2
    assert bench.proposal.undoes == first.id
    assert bench.actuator.ran == [first.id], "nothing runs from asking"


async def test_a_journal_that_is_not_there_is_an_error(bench: Bench) -> None:
    with pytest.raises(JournalError):
        await bench.advance("inv-nobody")


async def test_given_up_it_says_so_and_only_while_it_is_open(bench: Bench) -> None:
    await bench.advance.give_up(ID, ValueError("secret detail"))
    assert bench.case.status == "failed"
    assert bench.case.failure == "the investigation failed unexpectedly (ValueError); see the log"
    before = bench.kinds()
    await bench.advance.give_up(ID, ValueError())
    assert await bench.advance(ID) is None
    assert bench.kinds() == before or bench.kinds()[-1] == "noted"


class Photographed(Paper):
    """Keeps what the audit looked like behind each entry."""

    def __init__(self, clock: HandClock, audit: Path) -> None:
        super().__init__(clock)
        self._audit = audit

    def photo(self, cut: int) -> Path:
        return self._audit.with_name(f"audit-behind-{cut}")

    def append(self, *bodies: Body) -> Sequence[Entry]:
        entries = super().append(*bodies)
        self._audit.mkdir(exist_ok=True)
        shutil.copytree(self._audit, self.photo(len(self.entries)))
        return entries


async def test_cut_anywhere_a_change_is_proposed_once_and_made_at_most_once(tmp_path: Path) -> None:
    running = Running(troubles.bad_deployment())
    journal = Photographed(running.clock, tmp_path / "audit")
    journal.append(Opened(request=ASKED, reasoner="catalogue"))
    bench = Bench(tmp_path / "audit", running, journal)
    await approved(bench)
    for _ in range(6):
        bench.clock.time += timedelta(seconds=60)
        await bench.advance(ID)
    assert isinstance(journal.entries[-1].body, Verified)
    first = next(n for n, entry in enumerate(journal.entries) if entry.body.kind == "concluded")
    for cut in range(first, len(journal.entries)):
        there = [entry.body for entry in journal.entries[:cut]]
        running = Running(troubles.bad_deployment())
        paper = Paper(running.clock)
        paper.append(*there)
        again = Bench(journal.photo(cut), running, paper)
        for _ in range(3):
            await again.advance(ID)
            running.clock.time += timedelta(seconds=60)
        bodies = [entry.body for entry in paper.entries]
        assert sum(isinstance(body, ChangeProposed) for body in bodies) == 1
        assert sum(isinstance(body, Spent) for body in bodies) <= 1
        assert sum(isinstance(body, Executed) for body in bodies) <= 1
        spent = any(isinstance(body, Spent) for body in there)
        assert len(again.actuator.ran) <= (0 if spent else 1), "what was begun is looked at and not run again"
        if any(isinstance(body, Ruled) for body in there):
            assert any(isinstance(body, Executed) for body in bodies), "what was approved comes to its end"

"""The process may die between any two entries: whoever goes on from the journal comes to the same verdict."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runbook_bot.domain.investigation import Investigation, fold
from runbook_bot.domain.journal import Body, ChangesFound, Entry, Steered
from runbook_bot.state.journals import FileJournals
from tests.investigation import troubles
from tests.investigation.running import ID, HandClock, Paper, Running
from tests.investigation.town import Town

CASES = [
    (troubles.bad_deployment, "storefront is failing"),
    (troubles.nothing, "search seems odd"),
]


def told(case: Investigation) -> str:
    """The verdict and all that carries it, as JSON."""
    assert case.verdict is not None
    hypotheses = [h.model_dump_json() for h in case.hypotheses.values()]
    evidence = [e.model_dump_json() for e in case.evidence.values()]
    return "\n".join([case.verdict.model_dump_json(), *hypotheses, *evidence])


def reread(folder: Path, lines: Sequence[str]) -> Investigation:
    """What a process that has just started reads from the disk, the last line torn."""
    folder.mkdir()
    (folder / f"{ID}.jsonl").write_text("\n".join([*lines, '{"seq":']), "utf-8")
    return FileJournals(folder, HandClock()).open(ID).refresh()


async def ends_the_same(folder: Path, entries: Sequence[Entry], trouble: Callable[[], Town], first: int = 1) -> None:
    """Cut behind every single entry from the first one given on; every tenth time it is read from the disk."""
    expected, lines = told(fold(ID, entries)), [entry.line() for entry in entries]
    for cut in range(first, len(entries)):
        state = fold(ID, entries[:cut]) if cut % 10 else reread(folder / str(cut), lines[:cut])
        again = Running(trouble())
        ended = await again.go_on(Paper(again.clock, state))
        assert told(ended) == expected, f"cut behind {cut}: {lines[cut - 1][:300]}"


@pytest.mark.parametrize(("trouble", "complaint"), CASES)
async def test_cut_anywhere_it_ends_the_same(tmp_path: Path, trouble: Callable[[], Town], complaint: str) -> None:
    whole = Running(trouble())
    journal = whole.opened(complaint)
    await whole.go_on(journal)
    await ends_the_same(tmp_path, journal.entries, trouble)


@pytest.mark.parametrize("action", ["rule_out", "known", "dig", "suggest"])
async def test_cut_anywhere_after_a_persons_word_it_ends_the_same(tmp_path: Path, action: str) -> None:
    whole = Running(troubles.connection_exhaustion())
    journal = whole.opened("orders is slow")
    await whole.go_on(journal)
    said = {"hypothesis": "H1", "action": action, "by": "U1", "delivery": "d1", "note": "locks in orders-db"}
    journal.append(Steered.model_validate(said))
    steered = len(journal.entries)
    case = await whole.go_on(journal)
    assert not case.unsteered
    assert [entry.body.kind for entry in journal.entries[steered:]][-1] == "concluded"
    await ends_the_same(tmp_path, journal.entries, troubles.connection_exhaustion, steered)


async def test_ten_times_the_same() -> None:
    verdicts = {told(await Running(troubles.bad_deployment()).investigate("storefront is failing")) for _ in range(10)}
    assert len(verdicts) == 1


async def test_a_finished_investigation_is_left_alone() -> None:
    running = Running(troubles.nothing())
    journal = running.opened("search seems odd")
    before = await running.go_on(journal)
    written: list[Body] = []
    assert await running.go_on(journal, watch=written.append) == before
    assert written == []


async def test_what_was_asked_before_the_crash_is_not_asked_again(tmp_path: Path) -> None:
    whole = Running(troubles.bad_deployment())
    journal = whole.opened("storefront is failing")
    await whole.go_on(journal)
    cut = next(n for n, entry in enumerate(journal.entries) if isinstance(entry.body, ChangesFound))
    state = reread(tmp_path / "cut", [entry.line() for entry in journal.entries[: cut + 1]])
    again = Running(troubles.bad_deployment())
    await again.go_on(Paper(again.clock, state))
    assert state.answers
    assert not state.answers.keys() & {query.key for query in again.town.asked}

"""The process may die between any two entries: whoever goes on from the journal comes to the same verdict."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Steered
from runbook_bot.state.journals import FileJournal
from tests.investigation import troubles
from tests.investigation.running import ID, Running
from tests.investigation.town import Town

CASES = [
    (troubles.bad_deployment, "storefront is failing"),
    (troubles.connection_exhaustion, "orders is slow"),
    (troubles.nothing, "search seems odd"),
]


def told(case: Investigation) -> str:
    """The verdict and all that carries it, as JSON."""
    assert case.verdict is not None
    hypotheses = [h.model_dump_json() for h in case.hypotheses.values()]
    evidence = [e.model_dump_json() for e in case.evidence.values()]
    return "\n".join([case.verdict.model_dump_json(), *hypotheses, *evidence])


def written(journal: FileJournal) -> list[str]:
    return Path(journal.location).read_text("utf-8").splitlines(keepends=True)


def prefixes(folder: Path, lines: list[str], first: int = 1) -> Iterator[Path]:
    """A folder for each place where the journal may have been cut."""
    for cut in range(first, len(lines)):
        place = folder / f"cut{cut}"
        place.mkdir()
        (place / f"{ID}.jsonl").write_text("".join(lines[:cut]), "utf-8")
        yield place


@pytest.mark.parametrize(("trouble", "complaint"), CASES)
async def test_cut_anywhere_it_ends_the_same(tmp_path: Path, trouble: Callable[[], Town], complaint: str) -> None:
    whole = Running(tmp_path, trouble(), trouble().graph)
    journal = whole.opened(complaint)
    expected = told(await whole.go_on(journal))
    lines = written(journal)
    for folder in prefixes(tmp_path, lines):
        town = trouble()
        again = Running(folder, town, town.graph)
        assert told(await again.go_on(again.reopened())) == expected, (
            f"{folder.name}: {lines[int(folder.name[3:]) - 1][:300]}"
        )


@pytest.mark.parametrize("action", ["rule_out", "known", "dig"])
async def test_cut_anywhere_after_a_persons_word_it_ends_the_same(tmp_path: Path, action: str) -> None:
    trouble, complaint = CASES[1]
    whole = Running(tmp_path, trouble(), trouble().graph)
    journal = whole.opened(complaint)
    await whole.go_on(journal)
    word = Steered.model_validate({"hypothesis": "H1", "action": action, "by": "U1", "delivery": "d1"})
    journal.append(word)
    steered = len(written(journal))
    expected = told(await whole.go_on(journal))
    lines = written(journal)
    assert len(lines) > steered + 1
    for folder in prefixes(tmp_path, lines, steered):
        again = Running(folder, trouble(), trouble().graph)
        assert told(await again.go_on(again.reopened())) == expected, (
            f"{folder.name}: {lines[int(folder.name[3:]) - 1][:300]}"
        )


async def test_ten_times_the_same(tmp_path: Path) -> None:
    verdicts = set()
    for n in range(10):
        town = troubles.bad_deployment()
        verdicts.add(told(await Running(tmp_path / str(n), town, town.graph).investigate("storefront is failing")))
    assert len(verdicts) == 1


async def test_a_finished_investigation_is_left_alone(tmp_path: Path) -> None:
    town = troubles.nothing()
    running = Running(tmp_path, town, town.graph)
    journal = running.opened("search seems odd")
    before = await running.go_on(journal)
    written: list[Body] = []
    assert await running.go_on(journal, watch=written.append) == before
    assert written == []


async def test_what_was_asked_before_the_crash_is_not_asked_again(tmp_path: Path) -> None:
    trouble, complaint = CASES[0]
    whole = Running(tmp_path, trouble(), trouble().graph)
    journal = whole.opened(complaint)
    await whole.go_on(journal)
    lines = written(journal)
    cut = next(n for n, line in enumerate(lines) if '"kind":"changes_found"' in line)
    *_, folder = prefixes(tmp_path, lines[: cut + 2])
    town = trouble()
    again = Running(folder, town, town.graph)
    case = again.reopened().refresh()
    known = set(case.answers)
    await again.go_on(again.reopened())
    assert known
    assert not known & {query.key for query in town.asked}

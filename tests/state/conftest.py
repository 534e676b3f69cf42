"""A journal folder, a clock that can be moved, and a real Redis where a test asks for one."""

from pathlib import Path

import pytest

from runbook_bot.state.journals import FileJournals
from tests.state.clock import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journals(tmp_path: Path, clock: HandClock) -> FileJournals:
    return FileJournals(tmp_path / "scratchpad", clock)

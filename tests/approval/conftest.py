"""A gate in its small world."""

from pathlib import Path

import pytest

from tests.approval.world import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "audit")

"""What every test may rely on: nothing of the machine's own configuration reaches it."""

import os
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # how long an example takes on a busy machine says nothing
settings.load_profile("patient")

FOREIGN = ("AWS_", "SLACK_", "RUNBOOK_", "REDIS_", "CHROMA_", "LOG_")
LONGEST = ("tests/story/", "tests/playground_cloud/", "tests/benchmarks/", "tests/house/")
"""Begun first, for they mostly wait for other programs while the rest of the tests use the processor."""
STAGES = ("tests/story/", "tests/playground_page/")
"""Folders whose tests share what takes long to build: each is played by one process."""


@pytest.fixture(autouse=True)
def _no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((turn for turn, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST))

    items.sort(key=turn)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several processes (`-n`): a file goes to one of them, a stage as a whole, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling  # only where there are several processes

    class ByStage(LoadScopeScheduling):  # type: ignore[misc]  # the plugin has no types
        def _split_scope(self, nodeid: str) -> str:
            return next((stage for stage in STAGES if nodeid.startswith(stage)), nodeid.split("::", 1)[0])

    config.option.loadscopereorder = False
    return ByStage(config, log)

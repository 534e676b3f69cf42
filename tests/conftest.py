"""What every test may rely on: nothing of the machine's own configuration reaches it."""

import os

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # how long an example takes on a busy machine says nothing
settings.load_profile("patient")

FOREIGN = ("AWS_", "SLACK_", "RUNBOOK_", "REDIS_", "CHROMA_", "LOG_")


@pytest.fixture(autouse=True)
def _no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

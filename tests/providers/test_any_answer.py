"""Whatever AWS says, or leaves out, each neutral question ends in a result."""

import os
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, ReadMetrics, ReadState, Result, SearchLogs
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import find_alarms
from runbook_bot.providers.aws.changes import list_changes
from runbook_bot.providers.aws.events.listing import EVENTFUL, list_events
from runbook_bot.providers.aws.log_groups import LOGGING
from runbook_bot.providers.aws.logs import search_logs
from runbook_bot.providers.aws.metric_table import VITAL_SIGNS
from runbook_bot.providers.aws.metrics import read_metrics
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.state import READERS, read_state
from runbook_bot.providers.aws.threads import Threads
from tests.providers.conftest import NOW
from tests.providers.operations.babble import Babble

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
_WINDOW = TimeWindow(start=NOW - timedelta(hours=3), end=NOW, onset=NOW - timedelta(hours=1))
Ask = Callable[[Place], Awaitable[Result]]


@pytest.fixture(scope="module")
def shared() -> Babble:
    """One for all: a client takes long to make."""
    return Babble(random.Random(), odd=0, gaps=0)  # noqa: S311  # not for secrets


def questions(type: ResourceType) -> dict[str, Ask]:
    """All that can be asked about a resource of the type."""
    it = Resource(type=type, name="app", cluster="prod", namespace="N" if type is ResourceType.metric else None)
    found: dict[str, Ask] = {
        "changes": lambda place: list_changes(place, ListChanges(resources=(it,), window=_WINDOW), NOW),
    }
    if type in READERS:
        found["state"] = lambda place: read_state(place, ReadState(resource=it))
    if type in EVENTFUL:
        found["events"] = lambda place: list_events(place, ListEvents(resource=it, window=_WINDOW), NOW)
    if type in LOGGING:
        found["logs"] = lambda place: search_logs(place, SearchLogs(resource=it, window=_WINDOW))
    if type in VITAL_SIGNS:
        found["metrics"] = lambda place: read_metrics(place, ReadMetrics(resources=(it,), window=_WINDOW), NOW)
    if type is ResourceType.alarm:
        found["alarms"] = lambda place: find_alarms(place, FindAlarms())
        found["alarm"] = lambda place: find_alarms(place, FindAlarms(name="app"))
    return found


@pytest.mark.parametrize("type", list(ResourceType))
async def test_any_answer_ends_in_a_result(type: ResourceType, shared: Babble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing goes there; and nothing is repeated
    first = int(os.environ.get("SEED", "0"))
    for name, ask in questions(type).items():
        for seed in range(first, first + EXAMPLES):
            shared.chance.seed(f"{name} {type} {seed}")
            shared.odd, shared.gaps = (0.0, 0.02, 0.08)[seed % 3], (0.0, 0.3, 0.6)[seed % 3]
            result = await ask(Place("us-east-1", shared, Threads(8), None))
            said = f"SEED={seed} {name} of {type}"
            assert isinstance(result, Result), said
            assert Result.model_validate_json(result.model_dump_json()).digest == result.digest, said

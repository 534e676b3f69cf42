"""Who drafts a change, and who makes it."""

from typing import Any

import pytest

from runbook_bot.domain.approval import Call, Preparation
from runbook_bot.providers.aws.actuator import AwsActuator
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.mutations.register import mutation_of
from runbook_bot.providers.aws.places import Places
from tests.providers.conftest import FixedClock
from tests.providers.mutations.steps import Made
from tests.providers.stand_in import StandIn


@pytest.fixture
def actuator(aws: StandIn) -> AwsActuator:
    return AwsActuator(AwsSettings(), FixedClock(), allow_ambient_credentials=True)


@pytest.fixture
def drafted(aws: StandIn) -> Made:
    async def draft(operation: str, **parameters: Any) -> Preparation:
        (place,) = Places(AwsSettings(), remembers=False).all
        return await mutation_of(Call(operation=operation, parameters=parameters)).prepared(place)

    return draft

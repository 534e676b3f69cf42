"""How long AWS may take: as usual, or a multiple where the machine is shared with what answers."""

import pytest

from runbook_bot.providers.aws.patience import patience
from runbook_bot.providers.aws.rates import limit_of
from runbook_bot.providers.aws.wire import client_config


@pytest.mark.parametrize(
    ("said", "factor"),
    [("", 1.0), ("3", 3.0), ("2.5", 2.5), ("0.1", 1.0), ("-4", 1.0), ("1000", 10.0), ("nan", 1.0), ("long", 1.0)],
)
def test_the_factor(said: str, factor: float) -> None:
    assert patience({"RUNBOOK_PATIENCE": said}) == factor
    assert patience({}) == 1.0


@pytest.mark.usefixtures("impatient")
def test_every_wait_for_an_answer_is_longer_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, key = client_config(), limit_of("logs", "FilterLogEvents")[1]
    monkeypatch.setenv("RUNBOOK_PATIENCE", "3")
    longer, at_most = client_config(), limit_of("logs", "FilterLogEvents")[1]
    assert (longer.connect_timeout, longer.read_timeout) == (3 * usual.connect_timeout, 3 * usual.read_timeout)
    assert at_most.seconds == 3 * key.seconds
    assert (at_most.at_once, at_most.per_second) == (key.at_once, key.per_second)

"""The `safety:` part of config.yaml: what it means, and what it will not take."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from runbook_bot.approval.policy import SafetySettings
from runbook_bot.domain.approval import Entitled, Risk


def settings(**keys: object) -> SafetySettings:
    return SafetySettings.model_validate(keys)


def test_by_default_nobody_may_approve() -> None:
    assert all(settings().approvers_for(risk) is None for risk in Risk)
    assert settings().require_approval == {Risk.medium, Risk.high, Risk.critical}
    assert settings().ttl.total_seconds() == 1800
    assert settings().cooldown.total_seconds() == 60


def test_who_may_approve_can_be_read() -> None:
    named = settings(approvers={"critical": {"usergroups": ["S0SRE"], "users": ["U0ALICE"]}})
    assert named.entitled(Risk.high) == Entitled(usergroups=("S0SRE",), users=("U0ALICE",))
    assert named.entitled(Risk.low) == Entitled(anybody=True, requester=True)
    assert settings().entitled(Risk.critical) == Entitled()


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"approver": {}}, "approver"),
        ({"approvers": {"highest": {}}}, "approvers"),
        ({"approvers": {"high": {"groups": ["S1"]}}}, "groups"),
        ({"approvers": {"high": {"usergroups": ["@sre"]}}}, "is not the id of a user group"),
        ({"approvers": {"high": {"users": ["alice"]}}}, "is not the id of a user"),
        ({"approvers": {"high": {"users": ["U0ALICE"], "count": 0}}}, "greater than or equal to 1"),
        ({"require_approval": ["medium"]}, "high and critical cannot be taken out of it"),
        ({"require_approval": ["critical"]}, "high cannot be taken out of it"),
        ({"max_mutations_per_session": -1}, "greater than or equal to 0"),
        ({"proposal_ttl_minutes": 0}, "greater than 0"),
        ({"freeze": [{"from": "2026-12-24", "until": "2026-12-23"}]}, "must be later"),
        ({"freeze": [{"from": "2026-12-24"}]}, "until"),
        ({"freeze": [{"from": "yesterday", "until": "2026-12-24"}]}, "from"),
    ],
)
def test_what_it_will_not_take(keys: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(**keys)


def test_require_approval_can_be_widened() -> None:
    assert Risk.low in settings(require_approval=["low", "medium", "high", "critical"]).require_approval


def test_a_class_takes_the_people_of_the_next_higher_one_and_its_own_count() -> None:
    safety = settings(
        approvers={
            "medium": {"count": 3},
            "high": {"usergroups": ["S0SRE"]},
            "critical": {"users": ["U0ALICE"], "count": 4},
        }
    )
    people = [safety.approvers_for(risk) for risk in Risk]
    assert [each.usergroups if each else None for each in people] == [("S0SRE",)] * 3 + [()]
    assert [safety.needed(risk) for risk in Risk] == [1, 3, 1, 4]


def test_a_lower_class_never_speaks_for_a_higher_one() -> None:
    assert settings(approvers={"high": {"users": ["U0ALICE"]}}).approvers_for(Risk.critical) is None


def test_critical_takes_two_whatever_is_written() -> None:
    assert settings(approvers={"critical": {"users": ["U0ALICE"], "count": 1}}).needed(Risk.critical) == 2


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ("2026-12-23T23:59:59", None),
        ("2026-12-24T00:00:00", "Christmas"),
        ("2026-12-26T12:00:00", "the whole year's end"),
        ("2027-01-02T00:00:00", None),
    ],
)
def test_a_freeze_is_from_until_and_says_the_longest(now: str, reason: str | None) -> None:
    safety = settings(
        freeze=[
            {"from": "2026-12-24T01:00:00+01:00", "until": "2026-12-27", "reason": "Christmas"},
            {"from": "2026-12-26T00:00:00Z", "until": "2027-01-02T00:00:00Z", "reason": "the whole year's end"},
        ]
    )
    frozen = safety.frozen(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (frozen.reason if frozen else None) == reason

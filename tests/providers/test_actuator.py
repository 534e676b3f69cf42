"""Changes: prepared from the world, refused without the right hand behind them, sent once, and undone."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from runbook_bot.domain import approval as nouns
from runbook_bot.domain.approval import Approval, Call, Preparation, Proposal, Risk, SealBroken
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair, ResourceType
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.actuator import AwsActuator
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.mutations.register import mutation_of
from runbook_bot.providers.aws.roles import session_name
from tests.providers.conftest import NOW, FixedClock
from tests.providers.shop import CHECKOUT, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import Answer, StandIn

ROLE = "arn:aws:iam::123456789012:role/runbook-changes"


def proposal(preparation: Preparation | None, id: str = "P-1") -> Proposal:
    assert preparation is not None
    return Proposal(
        id=id,
        investigation="inv-1",
        preparation=preparation,
        requester="U1",
        proposed_by="catalogue",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def approved(wanted: Proposal, **more: Any) -> Approval:
    """As the gate would make it; its seal is taken here because the gate is another room's."""
    told = {"proposal": wanted.id, "digest": wanted.digest, "approvers": ("U2",), "at": NOW, **more}
    return Approval(**told, seal=nouns._SEAL)


@pytest.fixture
def actuator(aws: StandIn) -> AwsActuator:
    return AwsActuator(AwsSettings(), FixedClock(), allow_ambient_credentials=True)


@pytest.fixture
def bad_release(shop: Shop) -> Shop:
    """`checkout-api:1` ran, `checkout-api:2` runs now."""
    shop.service(shop.revision("shop/checkout:2.4.0"))
    new = shop.revision("shop/checkout:2.4.1", {"POOL_SIZE": "20", "API_TOKEN": "s3cr3t-token"})
    shop.client("ecs").update_service(cluster="prod", service="checkout-api", taskDefinition=new)
    return shop


def running(shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = shop.client("ecs").describe_services(cluster="prod", services=["checkout-api"])["services"][
        0
    ]
    return told


async def test_a_roll_back_is_prepared_from_the_world(bad_release: Shop, actuator: AwsActuator) -> None:
    found = await actuator.prepare(Repair.roll_back, CHECKOUT)
    assert found is not None
    assert found.call == Call(
        operation="ecs.update_service",
        parameters={"cluster": "prod", "service": "checkout-api", "task_definition": "checkout-api:1"},
    )
    assert found.rollback is not None
    assert found.rollback.parameters["task_definition"] == "checkout-api:2"
    assert (found.account, found.region, found.risk) == ("123456789012", "us-east-1", Risk.high)
    assert found.pre_state["task_definition"] == "checkout-api:2"
    assert found.pre_state["desired_count"] == 4
    assert "image checkout:2.4.1 → checkout:2.4.0" in found.summary
    assert "4 tasks are replaced" in found.impact
    assert found.shown == (
        "aws ecs update-service --cluster prod --service checkout-api --task-definition checkout-api:1 "
        "--region us-east-1"
    )
    assert "s3cr3t" not in found.model_dump_json()


async def test_an_identical_revision_is_no_way_back(shop: Shop, actuator: AwsActuator) -> None:
    shop.service(shop.revision("shop/checkout:2.4.0"))
    for image in ("shop/checkout:2.4.1", "shop/checkout:2.4.1"):
        last = shop.revision(image)
    shop.client("ecs").update_service(cluster="prod", service="checkout-api", taskDefinition=last)
    found = await actuator.prepare(Repair.roll_back, CHECKOUT)
    assert found is not None
    assert found.call.parameters["task_definition"] == "checkout-api:1"


async def test_the_first_revision_has_no_way_back(shop: Shop, actuator: AwsActuator) -> None:
    shop.service(shop.revision())
    assert await actuator.prepare(Repair.roll_back, CHECKOUT) is None


async def test_a_service_that_another_tool_deploys_is_left_alone(aws: StandIn, actuator: AwsActuator) -> None:
    told = {
        "serviceName": "checkout-api",
        "status": "ACTIVE",
        "deploymentController": {"type": "CODE_DEPLOY"},
        "desiredCount": 2,
    }
    aws.says("DescribeServices", {"services": [told]})
    assert await actuator.prepare(Repair.roll_back, CHECKOUT) is None
    assert await actuator.prepare(Repair.restart, CHECKOUT) is None


@pytest.mark.parametrize(("count", "wanted", "risk"), [(1, 2, Risk.medium), (4, 6, Risk.medium), (9, 14, Risk.high)])
async def test_scaling_out_adds_half(shop: Shop, actuator: AwsActuator, count: int, wanted: int, risk: Risk) -> None:
    shop.service(shop.revision(), count=count)
    found = await actuator.prepare(Repair.scale_out, CHECKOUT)
    assert found is not None
    assert found.call.parameters["desired_count"] == wanted
    assert found.rollback is not None
    assert found.rollback.parameters["desired_count"] == count
    assert found.risk is risk


async def test_a_restart_replaces_all_tasks_and_cannot_be_undone(shop: Shop, actuator: AwsActuator) -> None:
    shop.service(shop.revision())
    found = await actuator.prepare(Repair.restart, CHECKOUT)
    assert found is not None
    assert found.call.parameters["force_new_deployment"] is True
    assert found.rollback is None
    assert await actuator.prepare_rollback(proposal(found)) is None


async def test_concurrency_is_doubled_within_the_account(aws: StandIn, shop: Shop, actuator: AwsActuator) -> None:
    shop.function()
    assert await actuator.prepare(Repair.raise_concurrency, RECEIPTS) is None  # nothing is reserved
    shop.client("lambda").put_function_concurrency(FunctionName="receipts", ReservedConcurrentExecutions=50)
    aws.says(
        "GetAccountSettings",
        {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 130}},
    )
    found = await actuator.prepare(Repair.raise_concurrency, RECEIPTS)
    assert found is not None
    assert found.call.parameters == {"function": "receipts", "reserved_concurrent_executions": 80}
    assert found.risk is Risk.medium
    outcome = await actuator.run(proposal(found), approved(proposal(found)))
    assert outcome.took_effect is True
    assert outcome.post_state == {"reserved_concurrency": 80}


async def test_a_database_restart_is_critical(shop: Shop, actuator: AwsActuator) -> None:
    shop.database()
    found = await actuator.prepare(Repair.restart, ORDERS_DB)
    assert found is not None
    assert found.risk is Risk.critical
    assert found.rollback is None
    wanted = proposal(found)
    assert (await actuator.run(wanted, approved(wanted))).took_effect is True


async def test_what_does_not_fit_is_not_proposed(shop: Shop, actuator: AwsActuator) -> None:
    queue = Resource(type=ResourceType.sqs_queue, name="orders")
    assert await actuator.prepare(Repair.restart, queue) is None
    assert await actuator.prepare(Repair.roll_back, CHECKOUT) is None  # there is no such service


async def test_a_world_that_cannot_be_read_is_said_so(aws: StandIn, actuator: AwsActuator) -> None:
    aws.refuses("DescribeServices", "AccessDeniedException", "no")
    with pytest.raises(ProviderError, match="ecs:DescribeServices"):
        await actuator.prepare(Repair.roll_back, CHECKOUT)


async def test_the_change_is_made_once_and_undone(aws: StandIn, bad_release: Shop, actuator: AwsActuator) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    assert await actuator.drift(wanted) == ""
    assert await actuator.took_effect(wanted) is False
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is True
    assert outcome.post_state["task_definition"] == "checkout-api:1"
    assert running(bad_release)["taskDefinition"].endswith("checkout-api:1")
    assert len(aws.asked("UpdateService")) == 1
    assert await actuator.took_effect(wanted) is True
    back = await actuator.prepare_rollback(wanted)
    assert back is not None
    undo = proposal(back, "P-2")
    assert (await actuator.run(undo, approved(undo))).took_effect is True
    assert running(bad_release)["taskDefinition"].endswith("checkout-api:2")


async def test_drift_says_what_moved(bad_release: Shop, actuator: AwsActuator) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    ecs = bad_release.client("ecs")
    ecs.update_service(cluster="prod", service="checkout-api", desiredCount=7)
    assert await actuator.drift(wanted) == ""  # how many run does not matter to going back
    ecs.update_service(cluster="prod", service="checkout-api", taskDefinition=bad_release.revision("shop/checkout:3"))
    assert await actuator.drift(wanted) == ("checkout-api: task_definition was checkout-api:2 and is checkout-api:3")
    ecs.delete_service(cluster="prod", service="checkout-api", force=True)
    assert "is gone" in await actuator.drift(wanted)


async def test_a_drift_that_cannot_be_read_raises(aws: StandIn, bad_release: Shop, actuator: AwsActuator) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    aws.breaks("DescribeServices")
    with pytest.raises(ProviderError):
        await actuator.drift(wanted)


@pytest.mark.parametrize("wrong", [{"proposal": "P-2"}, {"digest": "sha256:" + "0" * 64}])
async def test_an_approval_for_another_change_breaks_the_seal(
    aws: StandIn, bad_release: Shop, actuator: AwsActuator, wrong: dict[str, str]
) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    with pytest.raises(SealBroken):
        await actuator.run(wanted, approved(wanted, **wrong))
    assert aws.asked("UpdateService") == []


async def test_without_a_role_nothing_is_changed_and_the_policy_to_create_is_shown(
    aws: StandIn, bad_release: Shop
) -> None:
    actuator = AwsActuator(AwsSettings(), FixedClock(), allow_ambient_credentials=False)
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is False
    assert "providers.aws.mutation_role_arn is not set" in outcome.message
    assert '"Action": "ecs:UpdateService"' in outcome.message
    assert "arn:aws:ecs:us-east-1:123456789012:service/prod/checkout-api" in outcome.message
    assert aws.asked("UpdateService") == []


async def test_the_role_is_assumed_for_this_change_alone(aws: StandIn, bad_release: Shop) -> None:
    actuator = AwsActuator(AwsSettings(mutation_role_arn=ROLE), FixedClock(), allow_ambient_credentials=False)
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT), "inv 7/P:1 ünï")
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is True
    (call,) = aws.asked("AssumeRole")
    sent = {key: value[0] for key, value in parse_qs(call.body).items()}
    assert sent["RoleArn"] == ROLE
    assert sent["RoleSessionName"] == "inv-7-P-1--n-"
    assert sent["DurationSeconds"] == "900"
    (statement,) = json.loads(sent["Policy"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "ecs:UpdateService",
        "Resource": "arn:aws:ecs:us-east-1:123456789012:service/prod/checkout-api",
    }


async def test_a_role_of_another_account_is_not_used(aws: StandIn, bad_release: Shop) -> None:
    settings = AwsSettings(mutation_role_arn="arn:aws:iam::999999999999:role/x")
    actuator = AwsActuator(settings, FixedClock(), allow_ambient_credentials=True)
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is False
    assert "999999999999" in outcome.message
    assert aws.asked("AssumeRole") == []


async def test_a_refusal_is_certain(aws: StandIn, bad_release: Shop, actuator: AwsActuator) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    aws.refuses("UpdateService", "AccessDeniedException", "no")
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is False
    assert "ecs:UpdateService" in outcome.message


async def test_silence_is_not_certain_and_is_not_repeated(
    aws: StandIn, bad_release: Shop, actuator: AwsActuator
) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    aws.breaks("UpdateService", 503, '{"message": "unavailable"}')
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is None
    assert len(aws.asked("UpdateService")) == 1


async def test_a_change_whose_answer_was_lost_is_seen_in_the_world(
    aws: StandIn, bad_release: Shop, actuator: AwsActuator
) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))

    def lost(_: str) -> Answer:
        bad_release.client("ecs").update_service(
            cluster="prod", service="checkout-api", taskDefinition="checkout-api:1"
        )
        return Answer(502, b"<html>bad gateway</html>", "text/html")

    aws.answers["UpdateService"] = lost
    outcome = await actuator.run(wanted, approved(wanted))
    assert outcome.took_effect is True
    assert "the change is there all the same" in outcome.message


async def test_what_cannot_be_read_cannot_be_told(aws: StandIn, bad_release: Shop, actuator: AwsActuator) -> None:
    wanted = proposal(await actuator.prepare(Repair.roll_back, CHECKOUT))
    aws.breaks("DescribeServices")
    assert await actuator.took_effect(wanted) is None


def test_only_what_is_on_the_list_can_be_made() -> None:
    with pytest.raises(ProviderError, match=r"ec2\.terminate_instances"):
        mutation_of(Call(operation="ec2.terminate_instances", parameters={}))
    with pytest.raises(ProviderError, match="shell"):
        mutation_of(Call(operation="rds.reboot_db_instance", parameters={"instance": "x", "shell": "rm"}))


def test_a_command_is_quoted() -> None:
    call = Call(operation="rds.reboot_db_instance", parameters={"instance": "x; rm -rf /"})
    assert "'x; rm -rf /'" in mutation_of(call).shown("us-east-1")


def test_a_session_is_named_after_the_proposal() -> None:
    assert session_name("inv-20260101/P:1") == "inv-20260101-P-1"
    assert len(session_name("x" * 200)) == 64
    assert len(session_name("x")) >= 2


async def test_what_is_prepared_is_what_is_now_and_readers_learn_of_the_change(bad_release: Shop) -> None:
    """Nobody is shown, and nothing is decided on, what was read a moment before."""
    changed: list[str] = []
    actuator = AwsActuator(
        AwsSettings(), FixedClock(), allow_ambient_credentials=True, on_change=lambda: changed.append("changed")
    )
    first = await actuator.prepare(Repair.roll_back, CHECKOUT)
    bad_release.client("ecs").update_service(cluster="prod", service="checkout-api", desiredCount=9)
    second = await actuator.prepare(Repair.roll_back, CHECKOUT)
    assert first is not None
    assert second is not None
    assert (first.pre_state["desired_count"], second.pre_state["desired_count"]) == (4, 9)
    assert changed == []
    wanted = proposal(second)
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    assert changed == ["changed"]

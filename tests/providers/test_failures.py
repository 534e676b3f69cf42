"""What goes wrong with AWS is told apart, quickly, and in one line."""

from pathlib import Path

import pytest

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ReadMetrics, ReadState, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.config import AwsAccount, AwsSettings
from runbook_bot.providers.aws.places import regions_of
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.readiness import lacking
from tests.providers.conftest import FixedClock
from tests.providers.shop import CHECKOUT, Shop
from tests.providers.stand_in import Answer, StandIn

STATE = ReadState(resource=CHECKOUT)


async def test_denied_names_action_and_resource(aws: StandIn, provider: AwsProvider) -> None:
    text = (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecs:DescribeServices on resource: "
        "arn:aws:ecs:us-east-1:1:service/prod/checkout-api because no identity-based policy allows it"
    )
    aws.refuses("DescribeServices", "AccessDeniedException", text)
    result = await provider.ask(STATE)
    assert result.status is Status.denied
    assert result.message == (
        "access denied: ecs:DescribeServices on arn:aws:ecs:us-east-1:1:service/prod/checkout-api "
        "is not allowed to these credentials"
    )


async def test_the_denial_of_moto_s_own_iam_is_understood(aws: StandIn, provider: AwsProvider) -> None:
    """Its body for JSON services is XML, its code "403"."""
    aws.breaks(
        "DescribeServices", 403, "<Response><Errors><Error><Code>AccessDenied</Code></Error></Errors></Response>"
    )
    result = await provider.ask(STATE)
    assert result.status is Status.denied
    assert "ecs:DescribeServices" in result.message


async def test_expired_credentials_are_told_from_missing_permissions(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("DescribeServices", "ExpiredTokenException", "expired")
    result = await provider.ask(STATE)
    assert result.status is Status.denied
    assert result.message == "AWS refused the credentials for DescribeServices (ExpiredTokenException)"


async def test_throttling_is_tried_once_more_and_then_told(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("DescribeServices", "ThrottlingException", "Rate exceeded")
    result = await provider.ask(STATE)
    assert result.status is Status.error
    assert "throttled" in result.message
    assert len(aws.asked("DescribeServices")) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "<!doctype html><title>500 Internal Server Error</title>"),
        (501, '{"__type": "InternalFailure", "message": "not yet implemented"}'),
        (404, "<html>Not Found</html>"),
        (400, '{"__type": "UnknownOperationException"}'),
        (200, "this is no JSON"),
        (200, "[1, 2]"),
        (200, ""),
        (400, '{"__type": "ValidationException", "message": "The operation DescribeServices is not supported here"}'),
        (400, '{"__type": "OperationNotFoundException", "message": "Operation not found"}'),
    ],
)
async def test_what_is_not_answered_here_is_asked_once_and_named(
    aws: StandIn, provider: AwsProvider, status: int, body: str
) -> None:
    aws.breaks("DescribeServices", status, body)
    result = await provider.ask(STATE)
    assert result.status is Status.error
    assert "AWS does not answer DescribeServices here" in result.message
    assert "\n" not in result.message
    assert len(aws.asked("DescribeServices")) == 1


async def test_an_error_in_xml_to_what_was_asked_in_json(aws: StandIn, provider: AwsProvider) -> None:
    xml = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"
    aws.breaks("DescribeServices", 400, xml.format("InvalidAction", "Could not find it"))
    assert "AWS does not answer DescribeServices here (InvalidAction)" in (await provider.ask(STATE)).message
    aws.breaks("DescribeServices", 403, xml.format("AccessDenied", "no"))
    with reading_afresh():
        assert (await provider.ask(STATE)).status is Status.denied


async def test_where_nothing_is_answered_discovery_says_so(aws: StandIn) -> None:
    aws.regional["us-east-1"] = Answer(501, b'{"__type": "InternalFailure", "message": "not yet implemented"}')
    (look,) = (await AwsProvider(AwsSettings(), FixedClock()).discover()).looks
    assert any("nothing was found, and" in each and "AWS does not answer" in each for each in look.unseen)


async def test_the_query_protocol_fails_the_same_way(aws: StandIn, provider: AwsProvider) -> None:
    aws.breaks("DescribeDBInstances")
    result = await provider.ask(ReadState(resource=Resource(type=ResourceType.rds_instance, name="orders-db")))
    assert result.status is Status.error
    assert "AWS does not answer DescribeDBInstances here" in result.message


async def test_nobody_at_the_endpoint(monkeypatch: pytest.MonkeyPatch, window: TimeWindow) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    provider = AwsProvider(AwsSettings(), FixedClock())
    result = await provider.ask(ReadMetrics(resources=(CHECKOUT,), window=window))
    assert result.status is Status.error
    assert "AWS cannot be reached for GetMetricData" in result.message


@pytest.mark.usefixtures("impatient")
async def test_a_call_that_hangs_is_given_up(aws: StandIn, provider: AwsProvider) -> None:
    aws.hangs("DescribeServices")
    result = await provider.ask(STATE)
    assert result.status is Status.error
    assert "AWS did not answer DescribeServices" in result.message, "and not what is answered in the end"


async def test_no_credentials(monkeypatch: pytest.MonkeyPatch, aws: StandIn) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = await AwsProvider(AwsSettings(), FixedClock()).ask(STATE)
    assert result.status is Status.denied
    assert "no AWS credentials were found" in result.message


async def test_an_unknown_profile(aws: StandIn) -> None:
    result = await AwsProvider(AwsSettings(profile="nobody"), FixedClock()).ask(STATE)
    assert result.status is Status.denied
    assert "nobody" in result.message


def test_what_every_call_would_lack_is_known_before_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert lacking(AwsSettings()) == ""
    assert "The config profile (nobody) could not be found" in lacking(AwsSettings(profile="nobody"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:5000")
    assert lacking(AwsSettings()).startswith("AWS_ENDPOINT_URL is no address")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in" in lacking(AwsSettings())


def test_the_profile_s_region_is_looked_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    settings = AwsSettings(profile="shop")
    assert regions_of(settings).names == ("us-east-1",), "a variable wins"
    monkeypatch.delenv("AWS_REGION")
    assert regions_of(settings).names == ("eu-central-1",)
    assert regions_of(AwsSettings(profile="nobody")).told_by == ""


async def test_without_credentials_discovery_says_so_once(monkeypatch: pytest.MonkeyPatch, aws: StandIn) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ProviderError) as caught:
        await AwsProvider(AwsSettings(), FixedClock()).discover()
    assert str(caught.value).count("no AWS credentials were found") == 1


async def test_what_is_another_vendor_s_is_not_answered(provider: AwsProvider) -> None:
    workload = Resource(type=ResourceType.kubernetes_workload, name="checkout", namespace="shop", kind="Deployment")
    query = ReadState(resource=workload)
    assert not provider.answers(query)
    assert (await provider.ask(query)).status is Status.error


async def test_two_regions_are_asked_and_what_one_has_is_enough(aws: StandIn, shop: Shop) -> None:
    shop.service(shop.revision())
    provider = AwsProvider(AwsSettings(regions=("us-east-1", "eu-west-1")), FixedClock())
    result = await provider.ask(STATE)
    assert result.status is Status.ok
    assert result.where.endswith("in us-east-1")
    assert result.fact("desired_count") == 4


async def test_another_account_is_read_through_its_role(aws: StandIn, shop: Shop) -> None:
    shop.client("ecs").create_cluster(clusterName="prod")
    account = AwsAccount(name="shop", role_arn="arn:aws:iam::123456789012:role/reader", external_id="x-1")
    provider = AwsProvider(AwsSettings(accounts=(account,)), FixedClock())
    result = await provider.ask(STATE)
    assert "shop/us-east-1" in result.where
    (call,) = aws.asked("AssumeRole")
    assert "ExternalId=x-1" in call.body
    assert "role%2Freader" in call.body


async def test_a_role_that_may_not_be_assumed(aws: StandIn) -> None:
    aws.refuses_xml("AssumeRole", "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: arn:r", 403)
    account = AwsAccount(name="shop", role_arn="arn:aws:iam::1:role/reader")
    result = await AwsProvider(AwsSettings(accounts=(account,)), FixedClock()).ask(FindAlarms())
    assert result.status is Status.denied
    assert "sts:AssumeRole on arn:r" in result.message


async def test_doctor_tells_who_it_is_and_what_is_missing(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("DescribeLogGroups", "AccessDeniedException", "no")
    lines = {each.part: each for each in await provider.check()}
    assert lines["aws us-east-1"].state == "ok"
    assert "123456789012" in lines["aws us-east-1"].text
    assert lines["aws us-east-1 logs"].state == "failed"
    assert lines["aws us-east-1 logs"].remedy == "allow logs:DescribeLogGroups to the role that Runbook reads with"
    assert lines["aws us-east-1 cloudtrail"].state == "warning"  # moto has no LookupEvents


async def test_doctor_says_which_region_it_fell_back_to(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    lines = await AwsProvider(AwsSettings(), FixedClock()).check()
    (region,) = [each for each in lines if each.part == "aws region"]
    assert region.text == "no region is configured; us-east-1 is looked in"


async def test_doctor_ends_within_two_seconds(
    aws: StandIn, provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provider.check()  # clients are made
    monkeypatch.setenv("RUNBOOK_PATIENCE", "1")
    aws.hangs("GetCallerIdentity")
    aws.hangs("ListClusters")
    lines = await provider.check()
    assert lines[0].state == "failed"
    assert lines[0].text.startswith("AWS did not answer within ")


async def test_a_second_try_that_works_is_enough(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    refusals = iter([Answer(400, b'{"__type": "ThrottlingException"}')])
    aws.answers["DescribeServices"] = lambda _: next(refusals, None)
    assert (await provider.ask(STATE)).status is Status.ok

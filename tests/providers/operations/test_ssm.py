"""Parameters: which changed, by whom, and which secret lies in the clear; never what they are."""

from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.ssm import Parameters
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


async def test_a_secret_in_the_clear_comes_first_and_no_value_comes_out(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    """Against moto."""
    ssm = shop.client("ssm")
    for name, kind in (("/prod/pool", "String"), ("/prod/db_password", "String"), ("/prod/api_key", "SecureString")):
        ssm.put_parameter(Name=name, Value="hunter2", Type=kind, Description="it is hunter2")
    result = await provider.ask(Parameters(prefix="/prod/"))
    assert (result.status, len(result.rows)) == (Status.ok, 3)
    first = result.rows[0]
    assert (first.name, first.facts["warnings"]) == (
        "/prod/db_password", ["by its name a secret, but kept in the clear"])  # fmt: skip
    assert first.facts["version"] == 1
    assert {call.operation for call in aws.calls} == {"DescribeParameters"}
    assert "hunter2" not in result.model_dump_json()


async def test_those_that_were_changed_then_the_newest_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's were made just now."""
    listed = [
        {"Name": name, "Type": "String", "Version": 3, "LastModifiedDate": NOW - timedelta(minutes=minutes),
         "LastModifiedUser": "arn:aws:sts::1:assumed-role/deploy/ünï"}
        for name, minutes in (("/old", 6000), ("/new", 5), ("/newer", 2))
    ]  # fmt: skip
    aws.tells("ssm", "DescribeParameters", {"Parameters": listed})
    window = TimeWindow(start=NOW - timedelta(hours=1), end=NOW)
    result = await provider.ask(Parameters(changed_in=window))
    assert [row.name for row in result.rows] == ["/newer", "/new"]
    assert result.rows[0].facts["changed_by"] == "assumed-role/deploy/ünï"
    early = TimeWindow(start=NOW - timedelta(days=90), end=NOW - timedelta(days=80))
    none = await provider.ask(Parameters(changed_in=early))
    assert (none.status, none.message) == (Status.no_data, "no parameter was changed then")


async def test_none_and_denied(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto; the denial in the form of the JSON protocol."""
    none = await provider.ask(Parameters(prefix="/weg/"))
    assert none.status is Status.no_data
    aws.refuses("DescribeParameters", "AccessDeniedException", "no")
    denied = await provider.ask(Parameters(prefix="/other/"))
    assert (denied.status, "ssm:DescribeParameters" in denied.message) == (Status.denied, True)

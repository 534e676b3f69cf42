"""Who asks AWS: credentials from everywhere they can come from, renewed in time, and named for the investigation."""

import asyncio
import hashlib
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from runbook_bot.domain.errand import on_behalf_of, reading_afresh
from runbook_bot.domain.tools import FindAlarms, ReadState, Status
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.access import Access
from runbook_bot.providers.aws.config import AwsAccount, AwsSettings
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import FixedClock
from tests.providers.credential_sources import gives_sessions, metadata_service
from tests.providers.shop import CHECKOUT
from tests.providers.stand_in import Answer, StandIn

SHOP = AwsAccount(name="shop", role_arn="arn:aws:iam::123456789012:role/reader", external_id="x-1")
HOUR = timedelta(hours=1)


def signers(aws: StandIn, operation: str) -> list[str]:
    """The access key ids that a call was signed with, in order."""
    return [call.signed.partition("/")[0] for call in aws.asked(operation)]


def session_names(aws: StandIn) -> list[str]:
    return [parse_qs(call.body)["RoleSessionName"][0] for call in aws.asked("AssumeRole")]


async def asked(provider: AwsProvider, investigation: str = "") -> Status:
    with on_behalf_of(investigation), reading_afresh():
        return (await provider.ask(FindAlarms())).status


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No credentials in the environment; files of the shared configuration may be written here."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
    return tmp_path


async def test_a_role_s_session_is_named_for_the_investigation_and_clients_are_shared(aws: StandIn) -> None:
    gives_sessions(aws, HOUR)
    provider = AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock())
    for investigation in ("inv-1", "inv-2", "inv-1", "ein Fall/7"):
        assert await asked(provider, investigation) is Status.no_data
    assert session_names(aws) == ["runbook-inv-1", "runbook-inv-2", "runbook-ein-Fall-7"]
    first, second, third, fourth = signers(aws, "DescribeAlarms")
    assert first == third, "the session of an investigation is used again"
    assert len({first, second, fourth}) == 3


async def test_many_investigations_side_by_side_keep_their_own_sessions(aws: StandIn) -> None:
    gives_sessions(aws, HOUR)
    provider = AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock())
    ids = [f"inv-{number}" for number in range(40)]
    assert await asyncio.gather(*(asked(provider, each) for each in ids)) == [Status.no_data] * 40
    assert sorted(session_names(aws)) == sorted(f"runbook-{each}" for each in ids)
    await asked(provider, ids[-1])
    access = provider._places.all[0]._access
    assert len(access._roles) <= 32, "what is kept of an investigation has a bound"
    assert len(provider._places.all[0]._clients) == 1, "forty investigations, one client"


async def test_one_session_for_all_regions_of_an_account(aws: StandIn) -> None:
    gives_sessions(aws, HOUR)
    settings = AwsSettings(accounts=(SHOP,), regions=("us-east-1", "eu-west-1", "eu-central-1"))
    assert await asked(AwsProvider(settings, FixedClock()), "inv-1") is Status.no_data
    assert len(aws.asked("AssumeRole")) == 1
    assert {call.signed.split("/")[2] for call in aws.asked("DescribeAlarms")} == set(settings.regions)


async def test_sessions_are_renewed_before_they_run_out(aws: StandIn) -> None:
    gives_sessions(aws, timedelta(minutes=5), HOUR)
    provider = AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock())
    for _ in range(3):
        assert await asked(provider, "inv-1") is Status.no_data
    assert signers(aws, "DescribeAlarms") == ["ASIAIOSFODNN7EXAMPL2"] * 3, "the first had too little time left"


async def test_a_role_that_cannot_be_renewed_is_told_with_the_permission(aws: StandIn) -> None:
    denial = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    gives_sessions(aws, timedelta(seconds=1), error=Answer(403, denial, "text/xml"))
    provider = AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock())
    with reading_afresh():
        result = await provider.ask(FindAlarms())
    assert result.status is Status.denied
    assert result.message == "access denied: sts:AssumeRole is not allowed to these credentials"


async def test_the_wrong_account(aws: StandIn) -> None:
    gives_sessions(aws, HOUR, account="999999999999")
    result = await AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock()).ask(FindAlarms())
    assert result.status is Status.denied
    assert result.message == (
        "the role arn:aws:iam::123456789012:role/reader answered from account 999999999999: "
        "correct its role_arn in providers.aws.accounts"
    )


async def test_a_clock_that_is_ahead_of_the_credentials(aws: StandIn) -> None:
    gives_sessions(aws, timedelta(hours=-2))
    result = await AwsProvider(AwsSettings(accounts=(SHOP,)), FixedClock()).ask(FindAlarms())
    assert result.status is Status.denied
    assert re.search(r"given credentials until .* and this machine's clock says .*: set the clock", result.message)


async def test_a_clock_that_the_signature_shows(aws: StandIn, provider: AwsProvider) -> None:
    aws.clock = (datetime.now(UTC) - timedelta(minutes=17)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    told = json.dumps({"__type": "InvalidSignatureException", "message": "Signature not yet current: 1 is still later"})
    aws.answers["DescribeServices"] = lambda _: Answer(400, told.encode(), "application/x-amz-json-1.1")
    result = await provider.ask(ReadState(resource=CHECKOUT))
    assert result.status is Status.denied
    assert "this machine's clock is 17 min ahead of AWS; set the clock of this machine" in result.message


async def test_an_instance_s_role(aws: StandIn, nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(HOUR) as address:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", address)
        provider = AwsProvider(AwsSettings(), FixedClock())
        assert [await asked(provider), await asked(provider)] == [Status.no_data] * 2
    assert signers(aws, "DescribeAlarms") == ["ASIAINSTANCESEXAMP1"] * 2


async def test_a_container_s_role_and_its_renewal(aws: StandIn, nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(timedelta(minutes=8)) as address:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{address}/container")
        provider = AwsProvider(AwsSettings(), FixedClock())
        assert [await asked(provider), await asked(provider)] == [Status.no_data] * 2
    first, second = signers(aws, "DescribeAlarms")
    assert first.startswith("ASIACONTAINER")
    assert first != second, "eight minutes are too few to go on with"


async def test_a_login_after_the_start_and_a_rotated_file_are_seen(aws: StandIn, nobody: Path) -> None:
    ticking = [0.0]
    place = Places(AwsSettings(profile="shop")).all[0]
    place._access = Access("shop", None, lambda: ticking[0])
    (nobody / "config").write_text("[profile shop]\nregion = us-east-1\n")

    async def told() -> str:
        with reading_afresh():
            try:
                await place.call("cloudwatch", "DescribeAlarms")
            except CallFailed as failure:
                return str(failure)
        return signers(aws, "DescribeAlarms")[-1]

    assert "no AWS credentials were found" in await told()
    (nobody / "credentials").write_text("[shop]\naws_access_key_id = AKIAFIRST\naws_secret_access_key = x\n")
    assert "no AWS credentials were found" in await told(), "not looked for at every call"
    ticking[0] = 11
    assert await told() == "AKIAFIRST"
    (nobody / "credentials").write_text("[shop]\naws_access_key_id = AKIASECOND\naws_secret_access_key = x\n")
    assert await told() == "AKIAFIRST"
    aws.refuses_xml("DescribeAlarms", "ExpiredToken", "expired", 403)
    aws.refuses("DescribeAlarms", "ExpiredTokenException", "expired")
    ticking[0] = 22
    assert "AWS refused the credentials" in await told()
    del aws.answers["DescribeAlarms"]
    assert await told() == "AKIASECOND"


@pytest.mark.parametrize("expired", [False, True])
def test_sso_uses_the_cached_login_and_says_how_to_renew_it(aws: StandIn, nobody: Path, expired: bool) -> None:
    """In a process of its own: botocore looks where the logins are kept once, when it is imported."""
    start = "https://shop.example/start"
    (nobody / "config").write_text(
        f"[profile shop]\nsso_start_url = {start}\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = Reader\nregion = us-east-1\n"
    )
    until = datetime.now(UTC) + (timedelta(hours=-1) if expired else HOUR)
    cache = nobody / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(start.encode(), usedforsecurity=False).hexdigest()
    token = {"startUrl": start, "region": "us-east-1", "accessToken": "t", "expiresAt": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    (cache / f"{name}.json").write_text(json.dumps(token))
    later = int((datetime.now(UTC) + HOUR).timestamp() * 1000)
    keys = {"accessKeyId": "ASIASSO", "secretAccessKey": "x", "sessionToken": "t", "expiration": later}
    given = json.dumps({"roleCredentials": keys}).encode()
    aws.answers[""] = lambda _: Answer(200, given, "application/json")  # GetRoleCredentials is not signed
    for _ in range(6):  # a machine with much else to do may be later than doctor waits
        ran = subprocess.run(
            [sys.executable, "-m", "runbook_bot", "doctor", "--json"],
            env=os.environ | {"AWS_PROFILE": "shop", "RUNBOOK_HOME": str(nobody / "home")},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        checks = {each["part"]: each for each in json.loads(ran.stdout)}
        if "did not answer within" not in checks["aws us-east-1"]["text"]:
            break
    if expired:
        assert checks["aws us-east-1"]["state"] == "failed"
        told = "the SSO login of profile shop has expired: aws sso login --profile shop"
        assert checks["aws us-east-1"]["text"] == told
    else:
        assert checks["aws us-east-1"]["state"] == "ok"
        assert set(signers(aws, "DescribeAlarms")) == {"ASIASSO"}


async def test_no_question_takes_the_role_for_changes(aws: StandIn) -> None:
    gives_sessions(aws, HOUR)
    role = "arn:aws:iam::123456789012:role/runbook-changes"
    provider = AwsProvider(AwsSettings(mutation_role_arn=role, accounts=(SHOP,)), FixedClock())
    await asked(provider)
    await provider.ask(ReadState(resource=CHECKOUT))
    with suppress(ProviderError):  # a slow machine's moto may be late; what counts is whom it was asked as
        await provider.discover()
    await provider.check()
    assert {parse_qs(call.body)["RoleArn"][0] for call in aws.asked("AssumeRole")} == {SHOP.role_arn}
    room = Path(__file__).parents[2] / "runbook_bot" / "providers" / "aws"
    readers = {path.name for path in room.rglob("*.py") if "mutation_role_arn" in path.read_text()}
    assert readers <= {"config.py", "credentials.py", "actuator.py", "policy.py"}, "and nobody else could"


async def test_retry_after_is_kept(aws: StandIn, provider: AwsProvider) -> None:
    times = []

    def answer(_: str) -> Answer | None:
        times.append(datetime.now(UTC))
        told = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
        return Answer(400, told, headers={"Retry-After": "1"}) if len(times) == 1 else None

    aws.answers["DescribeServices"] = answer
    await provider.ask(ReadState(resource=CHECKOUT))
    assert len(times) == 2
    assert times[1] - times[0] >= timedelta(seconds=1)


async def test_a_long_retry_after_is_told_instead(aws: StandIn, provider: AwsProvider) -> None:
    told = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
    aws.answers["DescribeServices"] = lambda _: Answer(400, told, headers={"Retry-After": "30"})
    result = await provider.ask(ReadState(resource=CHECKOUT))
    assert result.message == "AWS throttled DescribeServices (ThrottlingException); ask again in 30 s"
    assert len(aws.asked("DescribeServices")) == 1

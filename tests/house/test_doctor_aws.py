"""`doctor --aws`: policies that can be pasted, what the present credentials lack, and exit codes that say so."""

import asyncio
import json
from pathlib import Path
from typing import Any

from runbook_bot.playground.cloud import Cloud, Scenario
from tests.house.denying import denying
from tests.house.terminal import runbook

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}


def policies(text: str) -> list[dict[str, Any]]:
    """The JSON objects among the lines."""
    found, rest = [], text
    while "\n{" in rest:
        rest = rest[rest.index("\n{") + 1 :]
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:]
    return found


async def test_what_is_denied_is_lacking(tmp_path: Path) -> None:
    async with Cloud(deny=("ecs:DescribeServices", "cloudtrail:*")) as cloud:
        await cloud.start(Scenario.load("bad-deployment"))
        for words in (("doctor", "--aws"), ("doctor", "--aws", "--json")):
            ran = await asyncio.to_thread(runbook, *words, home=tmp_path, environ=cloud.environment())
            assert ran.returncode == 1, ran.stdout + ran.stderr
            if "--json" not in words:
                told = ran
    report = json.loads(ran.stdout)
    lacks = {each["action"]: each for each in report["standings"][0]["lacks"]}
    assert set(lacks) == {"ecs:DescribeServices", "cloudtrail:LookupEvents"}
    assert lacks["ecs:DescribeServices"]["resource"] == "arn:aws:ecs:us-east-1:123456789012:*"
    assert [*report["reading"], report["changing"]] == policies("\n" + told.stdout)
    assert all(policy["Version"] == "2012-10-17" for policy in report["reading"])
    assert "lacks ecs:DescribeServices on arn:aws:ecs:us-east-1:123456789012:*" in told.stdout
    assert told.stderr.strip() == "runbook-bot: 2 permissions are lacking"


def test_a_cloud_that_denies_even_the_identity_leaves_the_policies(tmp_path: Path) -> None:
    with denying() as address:
        ran = runbook("doctor", "--aws", home=tmp_path, environ={**KEYS, "AWS_ENDPOINT_URL": address})
    assert ran.returncode == 1
    assert len(policies(ran.stdout)) >= 2
    assert "us-east-1: access denied: sts:GetCallerIdentity" in ran.stderr


def test_where_aws_is_off_it_says_how_it_is_switched_on(tmp_path: Path) -> None:
    ran = runbook("doctor", "--aws", home=tmp_path, environ={"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")})
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "AWS is off: set AWS_PROFILE or AWS_ACCESS_KEY_ID" in ran.stderr


def test_what_is_no_role_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("providers: {aws: {accounts: [{name: shop, role_arn: reader}]}}\n")
    ran = runbook("doctor", "--aws", home=tmp_path, environ=KEYS)
    assert ran.returncode == 2
    assert "'reader' is no ARN of a role; one reads arn:aws:iam::123456789012:role/NAME" in ran.stderr

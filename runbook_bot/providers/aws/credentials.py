"""The credentials of one approved change: a role assumed for it alone, allowed nothing but that change."""

import json
from typing import Any

import boto3
from botocore.config import Config

from runbook_bot.domain.approval import Proposal
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.mutations.mutation import AwsMutation
from runbook_bot.providers.aws.readiness import named
from runbook_bot.providers.aws.roles import session_name

_SESSION_SECONDS = 900


def once() -> Config:
    """A change is sent once: whoever is not sure whether it arrived reads the world."""
    return Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1, "mode": "standard"})


def partition_of(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def refusal(mutation: AwsMutation, proposal: Proposal) -> str:
    """Why nothing was done without a role, and what to create."""
    where = proposal.preparation
    policy = json.dumps(mutation.policy(partition_of(where.region), where.region, where.account))
    return (
        "no change was made: providers.aws.mutation_role_arn is not set. Create a role that Runbook may assume, "
        f"with this policy: {policy}, and put its ARN there"
    )


def changing_client(
    settings: AwsSettings, mutation: AwsMutation, proposal: Proposal, *, allow_ambient_credentials: bool
) -> Any:
    """A client that can make this change. Blocking; raises `ProviderError`, or what boto3 raises."""
    where = proposal.preparation
    ambient: Any = boto3.Session(profile_name=named(settings), region_name=where.region)
    if settings.mutation_role_arn is None:
        if not allow_ambient_credentials:
            raise ProviderError(refusal(mutation, proposal))
        account = ambient.client("sts", config=once()).get_caller_identity().get("Account")
        _same_account(str(account), where.account)
        return ambient.client(mutation.service, config=once())
    _same_account("".join(settings.mutation_role_arn.split(":")[4:5]), where.account)
    given = ambient.client("sts", config=once()).assume_role(
        RoleArn=settings.mutation_role_arn,
        RoleSessionName=session_name(proposal.id),
        DurationSeconds=_SESSION_SECONDS,
        Policy=json.dumps(mutation.policy(partition_of(where.region), where.region, where.account)),
    )["Credentials"]
    session: Any = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=where.region,
    )
    return session.client(mutation.service, config=once())


def _same_account(found: str, wanted: str) -> None:
    if found != wanted:
        text = f"no change was made: the credentials for changes are of account {found or 'unknown'}, not {wanted}"
        raise ProviderError(text)

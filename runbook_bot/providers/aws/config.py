"""What can be configured about AWS (`providers.aws`); the endpoint is boto3's own `AWS_ENDPOINT_URL`."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d+:role/\S+")


def _role(arn: str) -> str:
    if not _ROLE.fullmatch(arn):
        raise ValueError(f"{arn!r} is no ARN of a role; one reads arn:aws:iam::123456789012:role/NAME")
    return arn


_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]{1,20}){1,3}-\d{1,2}")


def region(name: str) -> str:
    """The name. Raises `ValueError` for what cannot be the name of a region."""
    if not _REGION.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no region of AWS; one reads us-east-1")
    return name


RoleArn = Annotated[str, AfterValidator(_role)]


class AwsAccount(BaseModel):
    """Another account, read through a role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role_arn: RoleArn
    external_id: str | None = None


class AwsSettings(BaseModel):
    """Where to look, and as whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool | None = None
    """None: on when a profile or accounts are named here, or credentials or `AWS_ENDPOINT_URL` are there."""
    regions: tuple[Annotated[str, AfterValidator(region)], ...] = ()
    """Regions to look in; none means `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or us-east-1."""
    profile: str | None = None
    """A profile of the shared AWS configuration; `default` means what boto3 finds by itself."""
    accounts: tuple[AwsAccount, ...] = ()
    """Accounts to look in instead of the one that the credentials belong to."""
    mutation_role_arn: RoleArn | None = None
    """The role that approved changes are made with; without it they are refused."""

"""What can be configured about AWS (`providers.aws`); the endpoint is boto3's own `AWS_ENDPOINT_URL`."""

from pydantic import BaseModel, ConfigDict


class AwsAccount(BaseModel):
    """Another account, read through a role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role_arn: str
    external_id: str | None = None


class AwsSettings(BaseModel):
    """Where to look, and as whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool | None = None
    """None: on when credentials or `AWS_ENDPOINT_URL` are there."""
    regions: tuple[str, ...] = ()
    """Regions to look in; none means `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or us-east-1."""
    profile: str | None = None
    """A profile of the shared AWS configuration; `default` means what boto3 finds by itself."""
    accounts: tuple[AwsAccount, ...] = ()
    """Accounts to look in instead of the one that the credentials belong to."""
    mutation_role_arn: str | None = None
    """The role that approved changes are made with; without it they are refused."""

"""What this installation looks at in AWS, as one word: another profile, account, region or endpoint is another view."""

import os
from collections.abc import Mapping

from runbook_bot.domain.noun import digest
from runbook_bot.providers.aws.config import AwsSettings

_SAYS_WHERE = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
)  # fmt: skip


def view(settings: AwsSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Made of the settings and of the variables that say where and as whom; holds none of them."""
    accounts = [[each.name, each.role_arn] for each in settings.accounts]
    where = {name: environment[name] for name in _SAYS_WHERE if environment.get(name)}
    where |= {name: value for name, value in environment.items() if name.startswith("AWS_ENDPOINT_URL")}
    return digest({"regions": settings.regions, "profile": settings.profile, "accounts": accounts, "where": where})

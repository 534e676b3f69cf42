"""Whether a call to AWS could be signed and sent at all; looked up on this machine, without asking anybody."""

import os
import re
from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError

from runbook_bot.providers.aws.config import AwsSettings, region
from runbook_bot.providers.aws.failure import failure_of

_ADDRESS = re.compile(r"https?://[^/\s]+")


def lacking(settings: AwsSettings, environment: Mapping[str, str] = os.environ) -> str:
    """One line that says what is missing; empty where nothing is."""
    for name, value in environment.items():
        if name.startswith("AWS_ENDPOINT_URL") and value and not _ADDRESS.match(value):
            return f"{name} is no address: it has to begin with http:// or https:// and name a host"
    for name in () if settings.regions else ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if given := environment.get(name):
            try:
                region(given)
            except ValueError as wrong:
                return f"{name}: {wrong}"
    try:
        found = boto3.Session(profile_name=named(settings)).get_credentials()
    except BotoCoreError as error:
        return str(failure_of(error, "sts", "GetCallerIdentity"))
    return "" if found else "no AWS credentials were found: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in"


def region_of_profile(settings: AwsSettings) -> str:
    """The region that the shared configuration names for the profile; empty where it names none."""
    try:
        return boto3.Session(profile_name=named(settings)).region_name or ""
    except BotoCoreError:
        return ""  # there is no such profile: said when something is asked


def named(settings: AwsSettings) -> str | None:
    """The profile that boto3 is told; None leaves the choice to it."""
    return settings.profile if settings.profile != "default" else None

"""Who is behind an access key: the people and pipelines of the scenario, assumed roles, and whoever else calls."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_bot.playground.cloud.wire import Parameters

ACCOUNT = "123456789012"
AUTOSCALING = "AWSServiceRoleForApplicationAutoScaling_ECSService"
"""The role in which Application Auto Scaling changes a service."""
_ASSUMED = re.compile(
    r"<AccessKeyId>(?P<key>[^<]+)</AccessKeyId>.*?<Arn>(?P<arn>arn:aws:sts::\d+:assumed-role/[^<]+)</Arn>", re.DOTALL
)
_ASSUMED_ARN_FIRST = re.compile(
    r"<Arn>(?P<arn>arn:aws:sts::\d+:assumed-role/[^<]+)</Arn>.*?<AccessKeyId>(?P<key>[^<]+)</AccessKeyId>", re.DOTALL
)


@dataclass(frozen=True)
class Who:
    name: str
    """CloudTrail's Username: the user, or the session of a role."""
    role: str | None = None

    @property
    def arn(self) -> str:
        if self.role:
            return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.name}"
        return f"arn:aws:iam::{ACCOUNT}:user/{self.name}"

    @property
    def address(self) -> str:
        digest = hashlib.sha256(self.name.encode()).digest()
        return f"10.20.{digest[0]}.{digest[1] or 1}"

    def identity(self, key: str, at: float) -> Parameters:
        """The `userIdentity` of a CloudTrail event."""
        principal = hashlib.sha256((self.role or self.name).encode()).hexdigest()[:16].upper()
        if not self.role:
            return {
                "type": "IAMUser",
                "principalId": f"AIDA{principal}",
                "arn": self.arn,
                "accountId": ACCOUNT,
                "accessKeyId": key,
                "userName": self.name,
            }
        return {
            "type": "AssumedRole",
            "principalId": f"AROA{principal}:{self.name}",
            "arn": self.arn,
            "accountId": ACCOUNT,
            "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": f"AROA{principal}",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/{self.role}",
                    "accountId": ACCOUNT,
                    "userName": self.role,
                },
                "attributes": {
                    "creationDate": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}",
                    "mfaAuthenticated": "false",
                },
            },
        }


class Identities:
    def __init__(self) -> None:
        self._known: dict[str, Who] = {}

    def enrol(self, name: str, role: str | None) -> str:
        """The access key of an actor."""
        key = "AKIA" + hashlib.sha256(name.encode()).hexdigest()[:16].upper()
        self._known[key] = Who(name, role)
        return key

    def of(self, key: str) -> Who:
        return self._known.get(key) or Who("runbook")

    def learn(self, assumed: bytes) -> None:
        """From STS's answer to AssumeRole: the key it gave belongs to that session from now on."""
        text = assumed.decode("utf-8", "replace")
        found = _ASSUMED.search(text) or _ASSUMED_ARN_FIRST.search(text)
        if found:
            role, _, session = found["arn"].partition("assumed-role/")[2].rpartition("/")
            self._known[found["key"]] = Who(session, role)

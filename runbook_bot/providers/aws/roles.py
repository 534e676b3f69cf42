"""Credentials of a role, assumed when first needed and renewed before they run out."""

from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials


@dataclass(frozen=True)
class AssumedRole:
    """One role, as the place a session takes its credentials from."""

    role_arn: str
    session_name: str
    external_id: str | None = None

    def session(self, ambient: Any, region: str, config: Config) -> Any:
        """A session of its own for the role. Assumes it now, and again whenever the credentials are about to expire."""
        sts = ambient.client("sts", region_name=region, config=config)

        def assume() -> dict[str, str]:
            request = {"RoleArn": self.role_arn, "RoleSessionName": self.session_name}
            if self.external_id:
                request["ExternalId"] = self.external_id
            given = sts.assume_role(**request)["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        source = botocore.session.Session()
        source.register_component(
            "credential_provider",
            _Fixed(
                RefreshableCredentials.create_from_metadata(
                    metadata=assume(), refresh_using=assume, method="sts-assume-role"
                )
            ),
        )
        return boto3.Session(botocore_session=source, region_name=region)


@dataclass(frozen=True)
class _Fixed:
    """The one place a session looks for credentials."""

    credentials: Any

    def load_credentials(self) -> Any:
        return self.credentials

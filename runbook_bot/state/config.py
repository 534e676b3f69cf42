"""The `state:` part of config.yaml."""

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

SCHEMES = ("redis://", "rediss://", "unix://")


class StateSettings(BaseModel):
    """Where leases, deliveries and the queue live. Journals are always files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: SecretStr | None = None
    """`redis://host:port/db`; empty keeps everything in this one process and on its disk.

    A secret, because it may hold a password.
    """

    @field_validator("redis_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("redis_url")
    @classmethod
    def _a_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        if not value.get_secret_value().startswith(SCHEMES):
            raise ValueError(f"must begin with one of {', '.join(SCHEMES)}")
        if not _readable(value.get_secret_value()):
            # nothing of it is repeated: a part of the password may have been taken for the port
            raise ValueError(
                "is no address of a Redis: write redis://:password@host:6379/0, with %2F, %23 and %3F for the "
                "characters /, # and ? of a password"
            )
        return value


def _readable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.port != 0 and (parts.scheme == "unix" or bool(re.fullmatch(r"/?\d*", parts.path)))
    except ValueError:  # a port that is no number, half an IPv6 address
        return False

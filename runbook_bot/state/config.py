"""The `state:` part of config.yaml."""

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
        if value is not None and not value.get_secret_value().startswith(SCHEMES):
            raise ValueError(f"must begin with one of {', '.join(SCHEMES)}")
        return value

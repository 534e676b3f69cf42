"""What can be configured about Prometheus (`observability.prometheus`)."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("that is no address of a server; one reads https://prometheus.example.com")
    return url.rstrip("/")


class PrometheusSettings(BaseModel):
    """Where it is, and what it wants to see first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(_address)] | None = None
    """Base of the HTTP API, without `/api/v1`; `user:password@` is sent as basic authentication."""
    token: SecretStr | None = None
    """Sent as a bearer token."""
    cluster_label: str | None = None
    """The label that names the Kubernetes cluster, where one Prometheus (or Thanos, Mimir) holds several."""

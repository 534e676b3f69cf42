"""The loader's way into the cloud: boto3 clients whose calls are made at an earlier time and by somebody else."""

import functools
import secrets
from typing import Any

AT = "x-playground-at"
KEY = "x-playground-key"
NOTE = "x-playground-note"
TOKEN = "x-playground-token"  # noqa: S105  # the name of a header


@functools.cache
def _session(region: str) -> Any:
    """One for all worlds of a process: what it has read of the services' models it keeps."""
    import boto3

    return boto3.session.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106  # moto takes any
        region_name=region,
    )


class Past:
    """One set of clients. The overlay takes the two headers only together with this cloud's own token."""

    def __init__(self, region: str) -> None:
        self.token = secrets.token_hex(16)
        self._region = region
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        self._url = ""
        self._headers: dict[str, str] = {}

    def connect(self, url: str) -> None:
        self._url = url
        self._session = _session(self._region)

    def be(self, at: float, key: str, *, note: str = "") -> None:
        """From now on calls are made at that moment by the holder of that access key, with a note of why."""
        self._headers = {AT: f"{at:.3f}", KEY: key, TOKEN: self.token, NOTE: note}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config

            config = Config(
                parameter_validation=False,
                disable_request_compression=True,
                retries={"total_max_attempts": 2},
                max_pool_connections=4,
            )
            client = self._session.client(service, endpoint_url=self._url, config=config)
            client.meta.events.register("before-call", self._add_headers)
            self._clients[service] = client
        return self._clients[service]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _add_headers(self, params: dict[str, Any], **_: object) -> None:
        params["headers"].update(self._headers)

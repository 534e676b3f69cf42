"""How a client of boto3 is set up: short time-outs, few repeats, and nothing taken for an answer that is none."""

import os
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.config import Config

from runbook_bot.providers.aws.patience import patience
from runbook_bot.providers.aws.shape import conform

LONGEST_WAIT = 3.0
"""Seconds; whoever asks for a longer pause is not asked again."""
_ATTEMPTS = 3


def endpoint_overridden(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether calls go to something that may not be AWS itself."""
    return any(name.startswith("AWS_ENDPOINT_URL") and value for name, value in environment.items())


def client_config() -> Config:
    """Short time-outs; no retries against a stand-in for AWS, where a failed call is usually a missing one."""
    overridden = endpoint_overridden()
    return Config(
        connect_timeout=2 * patience(),
        read_timeout=4 * patience(),
        retries={"total_max_attempts": 1 if overridden else 3, "mode": "standard" if overridden else "adaptive"},
        max_pool_connections=16,
        user_agent_extra="runbook-bot",
    )


def prepared(client: Any) -> Any:
    """The same client, watched: pauses that AWS asks for are kept, a web page is no answer, an answer has its shape."""
    client.meta.events.register("after-call", _refuse_other_text)
    client.meta.events.register("response-received", partial(_in_shape, client.meta.service_model))
    client.meta.events.register_first("needs-retry", _as_told)
    if endpoint_overridden():
        client.meta.events.register_first("request-created.s3-control", _without_account)
    return client


def told_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds, where an answer says after how long to ask again."""
    told = headers.get("Retry-After") or headers.get("retry-after") or ""
    return float(told) if told.isdigit() else None


def _without_account(request: Any, **_: Any) -> None:
    """An account id before the address of a stand-in for AWS, as S3 Control puts it there, makes no address."""
    request.url = re.sub(r"^(https?://)\d{12}\.", r"\1", request.url)


def _as_told(response: Any, attempts: int, **_: Any) -> float | None:
    """The pause before the next attempt where the answer names one; None leaves it to botocore's own rules."""
    if response is None or response[0].status_code not in (400, 429, 503) or attempts >= _ATTEMPTS:
        return None
    wait = told_to_wait(response[0].headers)
    return wait if wait is not None and wait <= LONGEST_WAIT else None


def _in_shape(service: Any, event_name: str, parsed_response: dict[str, Any] | None = None, **_: Any) -> None:
    """Before botocore's own handlers make more of an answer, such as a policy of its text."""
    shape = service.operation_model(event_name.rpartition(".")[2]).output_shape
    if parsed_response is not None and shape is not None and _went_well(parsed_response):
        conform(parsed_response, shape)


def _went_well(answer: Mapping[str, Any]) -> bool:
    return int((answer.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0) < 300


def _refuse_other_text(http_response: Any, model: Any, **_: Any) -> None:
    """A web page or nothing at all, sent with success, is no answer; botocore would make an empty one of it, and that
    is no absence.
    """
    if model.has_streaming_output:  # an object may well be a web page, and is read by who asked for it
        return
    content = bytes(http_response.content or b"").lstrip()
    speaks_json = model.service_model.metadata.get("protocol") in ("json", "rest-json")
    page = content[:9].lower().startswith((b"<!doctype", b"<html"))
    other = page or (speaks_json and content[:1] not in (b"{", b""))
    if http_response.status_code < 300 and (other or (not content and _has_body(model))):
        raise ValueError("text or nothing instead of an answer")


def _has_body(model: Any) -> bool:
    """Whether the answer to this call stands in its body, and not in its head alone."""
    if model.http.get("method") == "HEAD" or model.output_shape is None:
        return False
    members = model.output_shape.members.values()
    return any("location" not in each.serialization for each in members)

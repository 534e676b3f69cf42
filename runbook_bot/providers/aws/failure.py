"""What went wrong with a call to AWS, told apart: denied, throttled, unreachable, unsupported, missing."""

import re
from typing import Literal

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NotConnected,
)
from botocore.parsers import ResponseParserError

from runbook_bot.domain.tools import Status
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.iam_names import permission

Kind = Literal[
    "denied", "credentials", "throttled", "unreachable", "timeout", "unsupported", "missing", "invalid", "failed"
]

UNREADABLE = (ResponseParserError, ValueError, KeyError, TypeError, AttributeError)
"""What botocore's parsers raise for an answer that is no answer of AWS: HTML, another shape."""

_IAM_PREFIX = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "application-autoscaling": "application-autoscaling",
    "stepfunctions": "states",
}
_LAMBDA_VERSION = re.compile(r"\d{8}(v\d)?$")
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|^403$|^Forbidden$")
_CREDENTIALS = re.compile(
    r"Expired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|"
    r"InvalidAccessKeyId|AuthFailure|MissingAuthenticationToken|IncompleteSignature|TokenRefreshRequired"
)
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit|^429$")
_UNSUPPORTED = re.compile(r"UnknownOperation|InvalidAction|UnsupportedOperation|NotImplemented|^(404|405|500|501)$")
_MISSING = re.compile(r"NotFound|DoesNotExist|NonExistent|NoSuch")
_MISSING_TEXT = re.compile(r"does not exist|not found|unable to describe task definition", re.IGNORECASE)
_PERFORM = re.compile(r"not authorized to perform:?\s*([\w-]+:\w+)(?:.*?on resource:?\s*(\S+))?", re.DOTALL)


class CallFailed(ProviderError):
    """One call to AWS did not bring an answer. `str()` is one line for people."""

    def __init__(self, kind: Kind, message: str, *, action: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.action = action

    @property
    def status(self) -> Status:
        """`missing` is knowledge (it was looked for and is not there); the others are not."""
        if self.kind == "missing":
            return Status.no_data
        return Status.denied if self.kind in ("denied", "credentials") else Status.error


def iam_action(service: str, action: str) -> str:
    """The permission a call needs, e.g. `ecs:DescribeServices`."""
    named = permission(service, action)
    return named or f"{_IAM_PREFIX.get(service, service)}:{_LAMBDA_VERSION.sub('', action)}"


def one_line(text: str, limit: int = 200) -> str:
    """Text from outside as one line of bounded length."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def timed_out(service: str, action: str, seconds: float) -> CallFailed:
    return CallFailed(
        "timeout", f"AWS did not answer {action} within {seconds:g} s", action=iam_action(service, action)
    )


def failure_of(error: Exception, service: str, action: str) -> CallFailed:
    """Translate whatever boto3 raised; `error` is one of ClientError, BotoCoreError or `UNREADABLE`."""
    needed = iam_action(service, action)
    if isinstance(error, ClientError):
        return _refusal(error, needed, action)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        text = f"no AWS credentials were found for {action}: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in"
        return CallFailed("credentials", text, action=needed)
    kind: Kind
    told = one_line(str(error))
    match error:
        case ProfileNotFound() | CredentialRetrievalError() | SSOError() | TokenRetrievalError():
            kind, text = "credentials", f"AWS credentials cannot be used: {told}"
        case ConnectTimeoutError() | ReadTimeoutError():
            kind, text = "timeout", f"AWS did not answer {action} in time: {told}"
        case HTTPClientError() | NotConnected():
            kind, text = "unreachable", f"AWS cannot be reached for {action}: {told}"
        case ParamValidationError():
            kind, text = "invalid", f"{action} does not take this: {told}"
        case BotoCoreError():
            kind, text = "failed", f"{action} failed: {told}"
        case _:
            kind, text = "unsupported", f"AWS does not answer {action} here (the answer cannot be read)"
    return CallFailed(kind, text, action=needed)


def _refusal(error: ClientError, needed: str, action: str) -> CallFailed:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    html = message.lstrip()[:15].lower().startswith(("<!doctype", "<html"))
    kind: Kind
    if _CREDENTIALS.search(code):
        kind, text = "credentials", f"AWS refused the credentials for {action} ({code})"
    elif _DENIED.search(code) or (status == 403 and not html):
        return _denial(message, needed)
    elif _THROTTLED.search(code):
        kind, text = "throttled", f"AWS throttled {action} ({code}); ask again later"
    elif _UNSUPPORTED.search(code) or html or status == 501:
        kind, text = "unsupported", f"AWS does not answer {action} here ({code or status})"
    elif _MISSING.search(code) or _MISSING_TEXT.search(message):
        kind, text = "missing", one_line(message) or f"{action}: there is no such thing"
    elif status >= 500:
        kind, text = "failed", f"AWS failed at {action} ({code or status}): {one_line(message)}"
    else:
        kind, text = "invalid", f"AWS refused {action} ({code or status}): {one_line(message)}"
    return CallFailed(kind, text, action=needed)


def _denial(message: str, needed: str) -> CallFailed:
    named = _PERFORM.search(message)
    action = named.group(1) if named else needed
    resource = f" on {named.group(2)}" if named and named.group(2) else ""
    return CallFailed("denied", f"access denied: {action}{resource} is not allowed to these credentials", action=action)

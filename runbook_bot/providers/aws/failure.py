"""What went wrong with a call to AWS, told apart, each with what to do: a permission, a login, a clock, a region."""

import os
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import (
    ConnectionError as NotConnected,
)
from botocore.parsers import ResponseParserError

from runbook_bot.domain.redaction import redact
from runbook_bot.domain.tools import Status
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.iam_names import permission
from runbook_bot.providers.aws.roles import ClockAstray, WrongAccount
from runbook_bot.providers.aws.wire import told_to_wait

Kind = Literal[
    "denied", "credentials", "clock", "wrong_account", "not_enabled", "throttled", "unreachable", "timeout",
    "unsupported", "missing", "invalid", "failed",
]  # fmt: skip
_NOT_ALLOWED: tuple[Kind, ...] = ("denied", "credentials", "clock", "wrong_account")

UNREADABLE = (ResponseParserError, ValueError, KeyError, TypeError, AttributeError)
"""What botocore's parsers raise for an answer that is no answer of AWS: HTML, another shape."""

_IAM_PREFIX = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "elb": "elasticloadbalancing",
    "stepfunctions": "states",
    "service-quotas": "servicequotas",
}
"""Services whose permissions do not begin with boto3's name of the service."""
_LAMBDA_VERSION = re.compile(r"\d{8}(v\d)?$")
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|^403$|^Forbidden$")
_CREDENTIALS = re.compile(
    r"Expired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|"
    r"InvalidAccessKeyId|AuthFailure|MissingAuthenticationToken|IncompleteSignature|TokenRefreshRequired"
)
_THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit|^429$")
_UNSUPPORTED = re.compile(
    r"Unknown(Operation|Action|Service|Method)|InvalidAction|UnsupportedOperation|NotImplemented|"
    r"(Operation|Action|Method|Route)NotFound|^(404|405|500|501)$"
)
_UNSUPPORTED_TEXT = re.compile(
    r"\b(unknown|unsupported|unrecognized|unimplemented) (operation|action|method|service)\b|"
    r"\b(operation|action|method)\b[^.]{0,80}\b(not (yet )?(implemented|supported|recognized)|unknown)\b|"
    r"\bnot (yet )?implemented\b",
    re.IGNORECASE,
)
"""How stand-ins for AWS say that they do not have a call."""
_MISSING = re.compile(r"NotFound|DoesNotExist|NonExistent|NoSuch")
_MISSING_TEXT = re.compile(r"does not exist|not found|unable to describe task definition", re.IGNORECASE)
_XML_CODE = re.compile(r"<Code>\s*([\w.:-]{1,100})\s*</Code>")
_XML_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_PERFORM = re.compile(r"not authorized to perform:?\s*([\w-]+:\w+)(?:.*?on resource:?\s*(\S+))?", re.DOTALL)
_DENIED_BY = re.compile(r"explicit deny in an? ([a-z -]+?polic(?:y|ies)|permissions boundary)")
_ENCODED = re.compile(r"Encoded authorization failure message", re.IGNORECASE)
_CLOCK = re.compile(r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture")
_CLOCK_TEXT = re.compile(r"Signature (expired|not yet current)|is now (earlier|later) than", re.IGNORECASE)
_NOT_ENABLED = re.compile(r"OptInRequired|SubscriptionRequired|RegionDisabled|InvalidRegion|UnsupportedRegion")
_UNKNOWN_KEYS = re.compile(r"UnrecognizedClient|InvalidClientTokenId|AuthFailure")
_OF_THE_SESSION = {
    "AssumeRole": "sts", "AssumeRoleWithWebIdentity": "sts", "GetRoleCredentials": "sso", "CreateToken": "sso-oidc",
}  # fmt: skip
"""Calls made on the way to credentials: whichever call is under way then, it is these that failed."""
_ALWAYS_ENABLED = frozenset({
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1",
    "eu-west-1", "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-southeast-1", "ap-southeast-2",
})  # fmt: skip
"""Regions that every account has; those launched since March 2019 have to be enabled (AWS account management guide)."""


class CallFailed(ProviderError):
    """One call to AWS did not bring an answer. `str()` is one line for people."""

    def __init__(self, kind: Kind, message: str, *, action: str, resource: str = "", wait: float = 0.0) -> None:
        """action: the permission it needs; resource: the ARN it was needed on; wait: seconds AWS asks to pause for."""
        super().__init__(message)
        self.kind = kind
        self.action = action
        self.resource = resource
        self.wait = wait

    def again(self) -> "CallFailed":
        """The same, to be raised once more."""
        return CallFailed(self.kind, str(self), action=self.action, resource=self.resource, wait=self.wait)

    @property
    def status(self) -> Status:
        """`missing` is knowledge (it was looked for and is not there); the others are not."""
        if self.kind == "missing":
            return Status.no_data
        return Status.denied if self.kind in _NOT_ALLOWED else Status.error


def iam_action(service: str, action: str) -> str:
    """The permission a call needs, e.g. `ecs:DescribeServices`."""
    named = permission(service, action)
    return named or f"{_IAM_PREFIX.get(service, service)}:{_LAMBDA_VERSION.sub('', action)}"


def one_line(text: str, limit: int = 200) -> str:
    """Text from outside as one line of bounded length; a secret is taken out of it before it could be cut in two."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= limit else redact(flat)[: limit - 1] + "…"


def timed_out(service: str, action: str, seconds: float) -> CallFailed:
    return CallFailed(
        "timeout", f"AWS did not answer {action} within {seconds:g} s", action=iam_action(service, action)
    )


def left_alone(service: str, action: str, region: str) -> CallFailed:
    text = f"{action} was not asked: {service} in {region} has just let several calls run out of time"
    return CallFailed("timeout", text, action=iam_action(service, action))


def not_there(service: str, action: str, region: str) -> CallFailed:
    text = f"service {service} is not in region {region}: nothing answers {action} there"
    return CallFailed("not_enabled", text, action=iam_action(service, action))


def failure_of(
    error: Exception, service: str, action: str, *, region: str = "", profile: str | None = None
) -> CallFailed:
    """Translate whatever boto3 raised; `error` is one of ClientError, BotoCoreError or `UNREADABLE`."""
    needed = iam_action(service, action)
    if isinstance(error, ClientError):
        of_the_session = _OF_THE_SESSION.get(error.operation_name)
        if of_the_session and error.operation_name != action:
            needed, action = iam_action(of_the_session, error.operation_name), error.operation_name
        return _refusal(error, needed, action, region)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        text = f"no AWS credentials were found for {action}: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in"
        return CallFailed("credentials", text, action=needed)
    kind: Kind
    told = one_line(str(error))
    match error:
        case WrongAccount():
            kind, text = "wrong_account", f"{told}: correct its role_arn in providers.aws.accounts"
        case ClockAstray():
            kind, text = "clock", f"{told}: set the clock of this machine, then ask again"
        case UnauthorizedSSOTokenError() | SSOTokenLoadError() | TokenRetrievalError():
            name = profile or os.environ.get("AWS_PROFILE") or "default"
            kind, text = "credentials", f"the SSO login of profile {name} has expired: aws sso login --profile {name}"
        case ProfileNotFound() | CredentialRetrievalError() | SSOError() | MetadataRetrievalError():
            kind, text = "credentials", f"AWS credentials cannot be used: {told}"
        case ConnectTimeoutError() | ReadTimeoutError():
            kind, text = "timeout", f"AWS did not answer {action} in time: {told}"
        case HTTPClientError() | NotConnected():
            kind, text = "unreachable", f"AWS cannot be reached for {action}: {told}"
        case ParamValidationError():
            kind, text = _not_taken(action, told)
        case BotoCoreError():
            kind, text = "failed", f"{action} failed: {told}"
        case _:
            kind, text = "unsupported", f"AWS does not answer {action} here (the answer cannot be read)"
    return CallFailed(kind, text, action=needed)


def _not_taken(action: str, told: str) -> tuple[Kind, str]:
    """What botocore does not even send; a name that nothing can have is no mistake, it is not there."""
    if "Invalid bucket name" in told:
        return "missing", "no bucket can have this name: only letters, digits, . - and _ are taken"
    return "invalid", f"{action} does not take this: {told}"


def _refusal(error: ClientError, needed: str, action: str, region: str) -> CallFailed:
    told = error.response.get("Error", {})
    code, message = _in_xml(str(told.get("Code", "")), str(told.get("Message", "")))
    answer = error.response.get("ResponseMetadata", {})
    status, headers = int(answer.get("HTTPStatusCode", 0)), answer.get("HTTPHeaders", {})
    html = message.lstrip()[:15].lower().startswith(("<!doctype", "<html"))
    wait = 0.0
    kind: Kind
    if _CLOCK.search(code) or _CLOCK_TEXT.search(message):
        kind, text = "clock", f"AWS refused {action} ({code}): {_apart(headers)}; set the clock of this machine"
    elif _NOT_ENABLED.search(code):
        kind, text = "not_enabled", f"{action} is not enabled for this account in {region or 'this region'} ({code})"
        text += f": {one_line(message)}" if message else ""
    elif _UNKNOWN_KEYS.search(code) and may_be_disabled(region):
        kind = "not_enabled"
        text = (
            f"region {region} is not enabled in this account, or the credentials are wrong ({code} for {action}): "
            "enable it in the account's settings, or take it out of providers.aws.regions"
        )
    elif _CREDENTIALS.search(code):
        kind, text = "credentials", f"AWS refused the credentials for {action} ({code})"
    elif _DENIED.search(code) or (status == 403 and not html):
        return _denial(message, needed)
    elif _THROTTLED.search(code):
        wait = told_to_wait(headers) or 0.0
        kind, text = "throttled", f"AWS throttled {action} ({code}); ask again {f'in {wait:g} s' if wait else 'later'}"
    elif _UNSUPPORTED.search(code) or html or status == 501 or _UNSUPPORTED_TEXT.search(message):
        kind, text = "unsupported", f"AWS does not answer {action} here ({code or status})"
    elif _MISSING.search(code) or _MISSING_TEXT.search(message):
        kind, text = "missing", one_line(message) or f"{action}: there is no such thing"
    elif status >= 500:
        kind, text = "failed", f"AWS failed at {action} ({code or status}): {one_line(message)}"
    else:
        kind, text = "invalid", f"AWS refused {action} ({code or status}): {one_line(message)}"
    return CallFailed(kind, text, action=needed, wait=wait)


def _in_xml(code: str, message: str) -> tuple[str, str]:
    """Code and message; those inside it where a stand-in answers in XML what was asked in JSON."""
    if not message.lstrip().startswith("<"):
        return code, message
    inner, said = _XML_CODE.search(message), _XML_MESSAGE.search(message)
    return (inner[1], said[1] if said else "") if inner else (code, message)


def _denial(message: str, needed: str) -> CallFailed:
    """With the permission, the resource, and which kind of policy said no, as far as AWS tells."""
    named, by = _PERFORM.search(message), _DENIED_BY.search(message)
    action = named.group(1) if named else needed
    resource = named.group(2).rstrip(".,") if named and named.group(2) else ""
    text = f"access denied: {action}{f' on {resource}' if resource else ''} is not allowed to these credentials"
    if by:
        text += f", by an explicit deny in a {one_line(by.group(1), 40)}"
        text += ": only who runs the organization can allow it" if "service control" in by.group(1) else ""
    if _ENCODED.search(message):
        text += "; AWS encoded the reason, aws sts decode-authorization-message tells it"
    return CallFailed("denied", text, action=action, resource=resource)


def may_be_disabled(region: str) -> bool:
    """Whether an account has such a region only after somebody enabled it. China and GovCloud are other partitions."""
    return bool(region) and region not in _ALWAYS_ENABLED and not region.startswith(("cn-", "us-gov-", "us-iso"))


def _apart(headers: dict[str, Any]) -> str:
    """How far the clocks are apart, by the date of the answer."""
    try:
        theirs = parsedate_to_datetime(str(headers.get("date", "")))
    except ValueError:
        return "its clock and this machine's differ too much"
    seconds = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(seconds) < 60:
        return "its clock and this machine's differed too much when it was signed"
    return f"this machine's clock is {abs(seconds) / 60:.0f} min {'ahead of' if seconds > 0 else 'behind'} AWS"

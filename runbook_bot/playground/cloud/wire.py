"""The AWS wire: which operation a request asks for, with which parameters, and how its protocol writes an answer."""

import functools
import gzip
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

Parameters = dict[str, Any]
"""One call's parameters or answer in the words of the API; only this room's handlers look inside."""

_SIGNED_AS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_IAM_PREFIX = {"elbv2": "elasticloadbalancing"}


@dataclass(frozen=True)
class Request:
    """What came over HTTP."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """What goes back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """A request, understood."""

    service: str
    operation: str
    protocol: str
    parameters: Parameters
    access_key: str
    region: str
    request: Request
    at: float = 0.0
    """When it is made, in epoch seconds of the simulated clock."""
    past: bool = False
    """Made while the scenario is loaded, on behalf of an earlier time."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def action(self) -> str:
        """The IAM action, e.g. `ecs:UpdateService`."""
        operation = "InvokeFunction" if (self.service, self.operation) == ("lambda", "Invoke") else self.operation
        return f"{_IAM_PREFIX.get(self.service, self.service)}:{operation}"


Handlers = dict[str, Callable[[Call], Awaitable[Parameters]]]
"""`service:Operation` → who answers it."""


@dataclass
class AwsError(Exception):
    """An error that the client is to see as AWS would send it."""

    code: str
    message: str
    status: int = 400


@functools.cache
def model(service: str) -> Any:
    """botocore's model of a service. Raises `botocore.exceptions.UnknownServiceError`."""
    return _session().get_service_model(service)


@functools.cache
def _session() -> Any:
    """One for all: each of its own would look through all services' folders again."""
    from botocore.session import get_session

    return get_session()


def prepare() -> None:
    """Read what understanding a call needs, before somebody waits for it: tenths of a second the first time."""
    for service in ("cloudwatch", "elbv2", "rds", "autoscaling", "elasticache", "sts"):
        model(service)
    _routes("lambda")


def understand(request: Request) -> Call | None:
    """The call behind a request; None for what is not signed as an AWS call or is of no known operation."""
    credential = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if not credential:
        return None
    key, region, signed_as = credential.groups()
    service = _SIGNED_AS.get(signed_as, signed_as)
    body = _plain_body(request)
    if target := request.headers.get("x-amz-target"):
        return Call(service, target.rpartition(".")[2], "json", _json(body), key, region, request)
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        pairs = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        operation = pairs.get("Action", "")
        protocol = "ec2" if service == "ec2" else "query"
        parameters = _unflatten(service, operation, pairs) if protocol == "query" else pairs
        return Call(service, operation, protocol, parameters, key, region, request)
    if service == "lambda":
        return _rest_call(service, key, region, request, body)
    return Call(service, "", "rest", {}, key, region, request)


def answer(call: Call, result: Parameters) -> Response:
    """A successful answer in the protocol of the call."""
    if call.protocol == "query":
        shape = model(call.service).operation_model(call.operation).output_shape
        inner = _xml_members(result, shape) if shape else ""
        if shape is not None and (wrapper := shape.serialization.get("resultWrapper")):
            inner = f"<{wrapper}>{inner}</{wrapper}>"
        text = f"<{call.operation}Response>{inner}<ResponseMetadata><RequestId>{call.id}</RequestId>"
        text += f"</ResponseMetadata></{call.operation}Response>"
        return Response(200, {"Content-Type": "text/xml", "x-amzn-RequestId": call.id}, text.encode())
    kind = "application/json" if call.protocol == "rest-json" else "application/x-amz-json-1.1"
    body = json.dumps(result, default=_epoch, separators=(",", ":")).encode()
    return Response(200, {"Content-Type": kind, "x-amzn-RequestId": call.id}, body)


def failure(call: Call, error: AwsError) -> Response:
    """A refusal in the protocol of the call."""
    headers = {"x-amzn-RequestId": call.id}
    if call.protocol in ("query", "ec2", "rest"):
        inner = f"<Error><Type>Sender</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        text = f"<ErrorResponse>{inner}<RequestId>{call.id}</RequestId></ErrorResponse>"
        if call.protocol == "ec2":
            text = f"<Response><Errors>{inner}</Errors><RequestID>{call.id}</RequestID></Response>"
        return Response(error.status, {**headers, "Content-Type": "text/xml"}, text.encode())
    headers["Content-Type"] = "application/x-amz-json-1.1"
    if call.protocol == "rest-json":
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    if call.service == "cloudwatch":
        headers["x-amzn-query-error"] = f"{error.code};Sender"
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message}).encode()
    return Response(error.status, headers, body)


def denied(call: Call, who: str) -> Response:
    """The refusal IAM gives, with the code each protocol uses for it."""
    text = (
        f"User: {who} is not authorized to perform: {call.action} because no identity-based policy "
        f"allows the {call.action} action"
    )
    code, status = "AccessDeniedException", 400
    if call.protocol == "ec2":
        code, status = "UnauthorizedOperation", 403
        text = f"You are not authorized to perform this operation. {text}"
    elif call.protocol in ("query", "rest") or call.service == "cloudwatch":
        code, status = "AccessDenied", 403
    elif call.protocol == "rest-json":
        status = 403
    return failure(call, AwsError(code, text, status))


def throttled(call: Call) -> Response:
    code, status = {
        "query": ("Throttling", 400),
        "rest-json": ("TooManyRequestsException", 429),
        "ec2": ("RequestLimitExceeded", 503),
    }.get(call.protocol, ("ThrottlingException", 400))
    if call.service == "cloudwatch":
        code = "Throttling"
    return failure(call, AwsError(code, "Rate exceeded", status))


def read_answer(call: Call, response: Response) -> Parameters:
    """What an answer of moto says, in the words of the API (timestamps as moto or botocore gives them)."""
    if call.protocol != "query":
        return _json(response.body)
    from botocore.parsers import create_parser

    shape = model(call.service).operation_model(call.operation).output_shape
    raw = {"status_code": response.status, "headers": response.headers, "body": response.body}
    parsed: Parameters = create_parser("query").parse(raw, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def _plain_body(request: Request) -> bytes:
    if request.headers.get("content-encoding") == "gzip" and request.body[:2] == b"\x1f\x8b":
        return gzip.decompress(request.body)
    return request.body


def _json(body: bytes) -> Parameters:
    parsed = json.loads(body) if body else {}
    return parsed if isinstance(parsed, dict) else {}


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """HTTP method, path pattern and operation; longer paths first, so that the more specific one wins."""
    found = []
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        path = http["requestUri"].partition("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", re.escape(path))
        found.append((http["method"], re.compile(pattern), name))
    return sorted(found, key=lambda route: -len(route[1].pattern))


def _rest_call(service: str, key: str, region: str, request: Request, body: bytes) -> Call | None:
    for method, pattern, name in _routes(service):
        found = pattern.fullmatch(request.path.rstrip("/")) if method == request.method else None
        if found:
            parameters = {k: v[0] for k, v in parse_qs(request.query).items()}
            parameters |= {k: unquote(v) for k, v in found.groupdict().items()}
            if body[:1] == b"{":
                parameters |= _json(body)
            return Call(service, name, "rest-json", parameters, key, region, request)
    return None


def _unflatten(service: str, operation: str, pairs: dict[str, str]) -> Parameters:
    """`Dimensions.member.1.Name=x` → nested, typed by the operation's input shape; {} for an unknown operation."""
    if operation not in model(service).operation_names:
        return {}
    tree: Parameters = {}
    for name, value in pairs.items():
        at = tree
        *parents, leaf = name.split(".")
        for part in parents:
            following = at.setdefault(part, {})
            if not isinstance(following, dict):
                break
            at = following
        else:
            at[leaf] = value
    shape = model(service).operation_model(operation).input_shape
    built = _typed(tree, shape) if shape else {}
    return built if isinstance(built, dict) else {}


def _typed(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        found = {n: value.get(m.serialization.get("name", n)) for n, m in shape.members.items()}
        return {n: _typed(v, shape.members[n]) for n, v in found.items() if v is not None}
    if shape.type_name == "list":
        items = value if isinstance(value, dict) else {}
        wrapped: Any = items.get(shape.member.serialization.get("name", "member"), items.get("member", items))
        numbered = sorted((k for k in wrapped if k.isdigit()), key=int) if isinstance(wrapped, dict) else []
        return [_typed(wrapped[k], shape.member) for k in numbered]
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return value == "true"
    if shape.type_name == "timestamp":
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return value


def _xml_members(value: Parameters, shape: Any) -> str:
    parts = []
    for name, member in shape.members.items():
        if (each := value.get(name)) is not None:
            parts.append(_xml(each, member, member.serialization.get("name", name)))
    return "".join(parts)


def _xml(value: Any, shape: Any, tag: str) -> str:
    if shape.type_name == "structure":
        return f"<{tag}>{_xml_members(value, shape)}</{tag}>"
    if shape.type_name == "list":
        inner_tag = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            return "".join(_xml(each, shape.member, inner_tag) for each in value)
        return f"<{tag}>{''.join(_xml(each, shape.member, inner_tag) for each in value)}</{tag}>"
    if shape.type_name == "map":
        entries = (
            f"<entry>{_xml(k, shape.key, 'key')}{_xml(v, shape.value, 'value')}</entry>" for k, v in value.items()
        )
        return f"<{tag}>{''.join(entries)}</{tag}>"
    if isinstance(value, bool):
        return f"<{tag}>{str(value).lower()}</{tag}>"
    if isinstance(value, datetime):
        return f"<{tag}>{value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}</{tag}>"
    return f"<{tag}>{escape(str(value))}</{tag}>"

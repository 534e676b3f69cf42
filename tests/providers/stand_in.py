"""A stand-in for AWS on loopback: answers some calls as a test says, passes all others on to a moto server."""

import http.client
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
from botocore.exceptions import UnknownServiceError

from tests.providers.protocols import rendered

HTML_500 = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"

_SIGNED = re.compile(r"Credential=[^/]+/\d+/[^/]+/([\w-]+)/aws4_request")
_SHARED = {"apigateway": ("apigatewayv2", "apigateway"), "s3": ("s3control", "s3")}
"""Services whose requests are signed under the same name."""


@dataclass
class Answer:
    """One canned answer."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request that arrived."""

    operation: str
    body: str
    path: str = ""
    signed: str = ""
    """Access key id, date, region and service, as the signature names them."""


@dataclass
class StandIn:
    """Where tests say what AWS answers; `calls` is what was asked, in order.

    A function in `answers` is given the request's body, or its path where it has none.
    """

    upstream: str
    answers: dict[str, Callable[[str], Answer | None]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)
    silent: set[str] = field(default_factory=set)
    """Regions that take every call and never answer."""
    clock: str = ""
    """What the `Date` of its answers says; empty for the time it is."""
    regional: dict[str, Answer] = field(default_factory=dict)
    """What every call that is signed for that region is answered with."""

    def says(self, operation: str, body: dict[str, Any], status: int = 200) -> None:
        self.answers[operation] = lambda _: Answer(status, json.dumps(body).encode())

    def says_xml(self, operation: str, xml: str) -> None:
        """In the form of the query protocol and of those that answer in XML (S3, Route 53, CloudFront)."""
        self.answers[operation] = lambda _: Answer(200, xml.encode(), "text/xml")

    def tells(self, service: str, operation: str, answer: Mapping[str, Any]) -> None:
        """An answer in boto3's form, sent in the service's own protocol as its service model has it."""
        body, kind = rendered(service, operation, answer)
        self.answers[operation] = lambda _: Answer(200, body, kind)

    def refuses(self, operation: str, code: str, message: str = "", status: int = 400) -> None:
        """In the form of the JSON protocols."""
        told = json.dumps({"__type": code, "message": message}).encode()
        self.answers[operation] = lambda _: Answer(status, told)

    def refuses_xml(self, operation: str, code: str, message: str = "", status: int = 400) -> None:
        """In the form of the query protocol (RDS, ELB, STS, Auto Scaling)."""
        xml = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>r</RequestId></ErrorResponse>"
        )
        self.answers[operation] = lambda _: Answer(status, xml.encode(), "text/xml")

    def breaks(self, operation: str, status: int = 500, body: str = HTML_500) -> None:
        self.answers[operation] = lambda _: Answer(status, body.encode(), "text/html")

    def hangs(self, operation: str) -> None:
        """Never answers before the test is over."""

        def wait(_: str) -> Answer:
            self.hang.wait(20)
            return Answer(200, b"{}")

        self.answers[operation] = wait

    def asked(self, operation: str) -> list[Call]:
        return [each for each in self.calls if each.operation == operation]


def operation_of(method: str, path: str, headers: Any, body: str) -> str:
    """The operation a request is for, whichever of AWS's protocols it speaks."""
    target = headers.get("X-Amz-Target")
    if target:
        return str(target).rpartition(".")[2]
    smithy = re.search(r"/operation/(\w+)$", urlsplit(path).path)
    if smithy:
        return smithy.group(1)
    action = parse_qs(body).get("Action")
    if action:
        return action[0]
    signed = _SIGNED.search(headers.get("Authorization") or "")
    return _by_path(signed.group(1), method, path) if signed else ""


def _by_path(signed: str, method: str, path: str) -> str:
    """The operation of a service that tells operations apart by path: the one that says most about it."""
    parts = urlsplit(path)
    given = set(parse_qs(parts.query, keep_blank_values=True))
    fitting = [
        (len(literal) + 100 * len(query), -len(name), name)
        for service in _SHARED.get(signed, (signed,))
        for verb, pattern, query, literal, name in _paths(service)
        if verb == method and query <= given and pattern.fullmatch(parts.path)
    ]
    return max(fitting, default=(0, 0, ""))[2]


@cache
def _paths(service: str) -> list[tuple[str, re.Pattern[str], set[str], str, str]]:
    """Verb, path, query names, what of the path is fixed, and name of every operation of a service."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return []
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        http = operation.http
        uri, _, fixed = str(http.get("requestUri", "/")).partition("?")
        members = operation.input_shape.members if operation.input_shape else {}
        required = operation.input_shape.required_members if operation.input_shape else []
        query = set(parse_qs(fixed, keep_blank_values=True)) | {
            str(members[each].serialization.get("name", each))
            for each in required
            if members[each].serialization.get("location") == "querystring"
        }
        literal = re.sub(r"\{[^}]*\}", "", uri)
        escaped = re.sub(r"\\\{[^}]*\+\\\}", ".+", re.escape(uri))
        pattern = re.compile(re.sub(r"\\\{[^}]*?\\\}", "[^/]+", escaped) + "/?")
        found.append((str(http["method"]), pattern, query, literal, name))
    return found


class Server:
    """The HTTP server around a stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        handler = _handler(stand_in)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._stand_in = stand_in

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stand_in.hang.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = raw.decode("utf-8", "replace")
            operation = operation_of(self.command, self.path, self.headers, body)
            signed = re.search(r"Credential=([^,\s]+)", self.headers.get("Authorization") or "")
            stand_in.calls.append(Call(operation, body, self.path, signed[1] if signed else ""))
            if signed and signed[1].split("/")[2] in stand_in.silent:
                stand_in.hang.wait(20)
            canned = stand_in.answers.get(operation)
            answer = canned(body or self.path) if canned is not None else None
            scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.headers.get("Authorization") or "")
            answer = stand_in.regional.get(scope[1], answer) if scope else answer
            if answer is None:
                answer = self._pass_on(raw)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def _pass_on(self, raw: bytes) -> Answer:
            connection = http.client.HTTPConnection(urlsplit(stand_in.upstream).netloc, timeout=20)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect")}
            connection.request(self.command, self.path, raw, headers)
            response = connection.getresponse()
            kept = {name: value for name, value in response.headers.items() if name.lower().startswith("x-amz")}
            kind = response.headers.get("Content-Type", "text/plain")
            answer = Answer(response.status, response.read(), kind, kept)
            connection.close()
            return answer

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815  # the names http.server calls

        def date_time_string(self, timestamp: float | None = None) -> str:
            return stand_in.clock or super().date_time_string(timestamp)

        def log_message(self, *_: object) -> None:
            """A test says what it wants to know through `calls`."""

    return Handler

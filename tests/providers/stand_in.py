"""A stand-in for AWS on loopback: answers some calls as a test says, passes all others on to a moto server."""

import http.client
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HTML_500 = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"

_LAMBDA = {
    r"^GET /2016-08-19/account-settings": "GetAccountSettings",
    r"^GET /2019-09-30/functions/[^/]+/concurrency": "GetFunctionConcurrency",
    r"^GET /2015-03-31/functions/[^/]+/versions": "ListVersionsByFunction",
}


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


@dataclass
class StandIn:
    """Where tests say what AWS answers; `calls` is what was asked, in order."""

    upstream: str
    answers: dict[str, Callable[[str], Answer | None]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)

    def says(self, operation: str, body: dict[str, Any], status: int = 200) -> None:
        self.answers[operation] = lambda _: Answer(status, json.dumps(body).encode())

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
    return next((name for pattern, name in _LAMBDA.items() if re.match(pattern, f"{method} {path}")), "")


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
            stand_in.calls.append(Call(operation, body))
            canned = stand_in.answers.get(operation)
            answer = canned(body) if canned is not None else None
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

        def log_message(self, *_: object) -> None:
            """A test says what it wants to know through `calls`."""

    return Handler

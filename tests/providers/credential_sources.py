"""Where credentials come from besides files: STS in the stand-in, a machine's and a container's metadata service."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from tests.providers.stand_in import Answer, StandIn


def gives_sessions(
    aws: StandIn, *lasting: timedelta, account: str = "123456789012", error: Answer | None = None
) -> None:
    """STS gives `ASIA…1`, `ASIA…2` and so on, each for the time that is its turn; the last time for all after it."""
    given: list[str] = []

    def answer(_: str) -> Answer:
        if error is not None and len(given) >= len(lasting):
            return error
        for_now = lasting[min(len(given), len(lasting) - 1)]
        given.append(f"ASIAIOSFODNN7EXAMPL{len(given) + 1}")
        until = (datetime.now(UTC) + for_now).strftime("%Y-%m-%dT%H:%M:%SZ")
        xml = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>'
            f"<Arn>arn:aws:sts::{account}:assumed-role/reader/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId>"
            f"</AssumedRoleUser><Credentials><AccessKeyId>{given[-1]}</AccessKeyId><SecretAccessKey>none</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleResult>"
            "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
        )
        return Answer(200, xml.encode(), "text/xml")

    aws.answers["AssumeRole"] = answer


@contextmanager
def metadata_service(lasting: timedelta) -> Iterator[str]:
    """An address that answers as EC2's metadata service (IMDSv2) does, and as a container's at `/container`."""

    class Handler(BaseHTTPRequestHandler):
        given: ClassVar[int] = 0

        def do_PUT(self) -> None:  # the name http.server calls
            self._say("token", {"X-aws-ec2-metadata-token-ttl-seconds": "21600"})

        def do_GET(self) -> None:  # the name http.server calls
            if self.path.rstrip("/").endswith("security-credentials"):
                self._say("instance-role")
                return
            Handler.given += 1
            until = (datetime.now(UTC) + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
            kind = "CONTAINER" if self.path == "/container" else "INSTANCES"
            keys = {"AccessKeyId": f"ASIA{kind}EXAMP{Handler.given}", "SecretAccessKey": "none", "Token": "token"}
            self._say(json.dumps({"Code": "Success", "Expiration": until, **keys}))

        def _say(self, text: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(200)
            for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()

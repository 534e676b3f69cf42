"""An AWS that has more of everything than anybody asked for: every listing is long, and none comes to an end."""

import base64
import json
from datetime import timedelta
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import DataNotFoundError

from runbook_bot.providers.aws.access import Access
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.rates import Limit, Turnstile
from tests.providers.conftest import NOW
from tests.providers.operations.babble import Raw
from tests.providers.protocols import rendered

PAGE = 50
_DEEP = 2
_POINTS = 60
_LINE = "Feb  3 10:11:12 host kernel: Out of memory: Killed process 812 (java) total-vm:8123456kB, anon-rss:4123kB\n"
_TEXTS = {
    "Output": base64.b64encode(_LINE.encode() * 640).decode(),
    "LogFileData": "2026-02-03 10:11:12 UTC::@:[812]:ERROR:  duplicate key value violates unique constraint\n" * 10_000,
    "configuration": json.dumps({f"rule{n}": {"ports": list(range(8)), "cidr": "10.0.0.0/8"} for n in range(400)}),
    "CloudTrailEvent": json.dumps({"eventName": "UpdateService", "requestParameters": {"a": ["b"] * 200}}),
    "Document": json.dumps({"id": "1", "name": "shop", "start_time": 1.0, "end_time": 2.0, "fault": True}),
    "DashboardBody": json.dumps({"widgets": [{"type": "metric", "properties": {"metrics": [["N", "M"]] * 20}}] * 200}),
    "HistoryData": json.dumps({"newState": {"stateValue": "ALARM", "stateReason": "because " * 40}}),
    "message": "ERROR order 7 failed after 31 ms at 10.0.0.7",
}
"""Long texts in which something is looked for, by the name of the member."""


class Plenty(Access):
    """Clients that never reach a network. `calls` is what was asked, in order."""

    def __init__(self, points: int = _POINTS) -> None:
        super().__init__(None, None)
        self.points = points
        self.calls: list[str] = []
        self._made: dict[tuple[str, str], Any] = {}
        self._bodies: dict[tuple[str, str, int], bytes] = {}

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._made:
            client = super().client(service, region)
            client.meta.events.register("before-send", lambda **sent: self._answer(service, client, **sent))
            self._made[service, region] = client
        return self._made[service, region]

    def _answer(self, service: str, client: Any, request: Any, event_name: str, **_: Any) -> AWSResponse:
        action = event_name.rpartition(".")[2]
        self.calls.append(f"{service}:{action}")
        key = (service, action, self.points)
        if key not in self._bodies:
            self._bodies[key] = self._body(service, action, client.meta.service_model)
        body = self._bodies[key].replace(b"TOKEN-TO-FOLLOW", b"TOKEN-%09d" % len(self.calls))
        return AWSResponse(request.url, 200, HeadersDict({"Content-Length": str(len(body))}), Raw(body))

    def _body(self, service: str, action: str, model: Any) -> bytes:
        shape = model.operation_model(action).output_shape
        if shape is None:
            return b""
        told = {name: self._some(name, member, _DEEP + 1, PAGE, 0) for name, member in shape.members.items()}
        if action == "GetMetricData":  # numbers are asked for by name and are as many
            told = {"MetricDataResults": self._numbers()}
        else:
            told |= self._to_follow(service, action, shape)
        return rendered(service, action, told)[0]

    def _to_follow(self, service: str, action: str, shape: Any) -> dict[str, Any]:
        """What says that there is more, where botocore or the names of the members tell what that is."""
        marks = {name for name in shape.members if name.lower().endswith(("token", "marker")) or name == "position"}
        try:
            config = self._session("us-east-1").get_paginator_model(service).get_paginator(action)
        except (ValueError, DataNotFoundError):
            config = {"output_token": []}
        tokens = config["output_token"]
        for each in tokens if isinstance(tokens, list) else [tokens]:
            marks |= {name.strip() for name in each.split("||")} & set(shape.members)
        return {name: "TOKEN-TO-FOLLOW" for name in marks if shape.members[name].type_name == "string"}

    def _numbers(self) -> list[dict[str, Any]]:
        times = [NOW - timedelta(minutes=n) for n in range(self.points)]
        values = [float(n % 7) for n in range(self.points)]
        return [
            {"Id": f"m{n}", "Label": f"m{n}", "StatusCode": "Complete", "Timestamps": times, "Values": values}
            for n in range(20)
        ]

    def _some(self, name: str, shape: Any, depth: int, many: int, number: int) -> Any:
        """Something that the shape allows; of a list `many`, and one of each list inside."""
        match shape.type_name:
            case "structure":
                members = shape.members if depth > 0 else {}
                return {each: self._some(each, member, depth - 1, 1, number) for each, member in members.items()}
            case "list":
                count = many if depth > 0 else 0
                return [self._some(name, shape.member, depth - 1, 1, each) for each in range(count)]
            case "map":
                return {}
            case "timestamp":
                return NOW - timedelta(minutes=number)
            case "boolean":
                return True
            case "integer" | "long":
                return number
            case "float" | "double":
                return float(number)
            case "blob":
                return _TEXTS.get(name, "line\n" * 1000).encode()
            case _:
                return _TEXTS.get(name) or str((shape.enum or [f"thing-{number}" if number else "app"])[0])


class Unhurried(Place):
    """A place that lets every call through at once: what AWS would take in a second is nothing to wait for here."""

    def _turnstile(self, service: str, action: str) -> Turnstile:
        return Turnstile(Limit())

    def at(self, region: str) -> Place:
        return self

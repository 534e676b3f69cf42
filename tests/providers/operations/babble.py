"""An AWS that answers in the right protocol and says anything: parts missing, null, empty, or of another type."""

import io
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict

from runbook_bot.providers.aws.access import Access
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered

_DEEP = 7
_TEXTS = (
    "", "größe/7", "5", "app", "app", "prod", "ACTIVE", "a:b:c", "arn:aws-cn:ecs:cn-north-1:1:service/prod/größe",
    "2026-02-03T10:11:12.000+0000", "{}", "[1]", "null", "0.0.0.0/0", "10.0.0.0/28", "x" * 1200, "\t<&>\n", "sg-1",
    "app:3", "$LATEST", "ERROR", "true",
)  # fmt: skip
_ODD: tuple[Any, ...] = (None, "odd", 7, -1.5, True, [], {}, [None], ["odd"], {"odd": "odd"}, [[]], [{"Key": None}])
_TOKENS = ("token", "marker")


class Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Babble(Access):
    """Clients that never reach a network. Each answer is made up from the shape that the service model promises.

    odd: how often a member is of another type than promised; only where the protocol can carry that.
    """

    def __init__(self, chance: random.Random, *, odd: float, gaps: float) -> None:
        super().__init__(None, None)
        self.chance = chance
        self.asked: set[str] = set()
        self.odd = odd
        self.gaps = gaps
        self._made: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._made:
            client = super().client(service, region)
            client.meta.events.register("before-send", lambda **sent: self._answer(service, client, **sent))
            self._made[service, region] = client
        return self._made[service, region]

    def _answer(self, service: str, client: Any, request: Any, event_name: str, **_: Any) -> AWSResponse:
        action = event_name.rpartition(".")[2]
        self.asked.add(f"{service}:{action}")
        model = client.meta.service_model
        json_spoken = model.resolved_protocol in ("json", "rest-json")
        shape = model.operation_model(action).output_shape
        told = self._made_up(shape, _DEEP, json_spoken) if shape is not None else {}
        told = told if isinstance(told, dict) else {}
        spoken = json.dumps(told, default=lambda at: at.timestamp()).encode() if json_spoken else None
        body = spoken if spoken is not None else rendered(service, action, told)[0]
        return AWSResponse(request.url, 200, HeadersDict({"Content-Length": str(len(body))}), Raw(body))

    def _made_up(self, shape: Any, depth: int, odd: bool) -> Any:
        chance = self.chance
        if odd and chance.random() < self.odd:
            return chance.choice(_ODD)
        match shape.type_name:
            case "structure":
                members = dict(shape.members) if depth > 0 else {}
                if shape.is_tagged_union:  # which has one member and no other
                    kept = dict([chance.choice(list(members.items()))]) if members else {}
                else:
                    kept = {name: member for name, member in members.items() if not self._left_out(name)}
                return {name: self._made_up(member, depth - 1, odd) for name, member in kept.items()}
            case "list":
                return [self._made_up(shape.member, depth - 1, odd) for _ in range(chance.choice((0, 1, 1, 2)))]
            case "map":
                keys = chance.sample(shape.key.enum or list(_TEXTS), min(2, len(shape.key.enum or _TEXTS)))
                return {key: self._made_up(shape.value, depth - 1, odd) for key in keys}
            case "timestamp":
                return NOW - timedelta(minutes=chance.randrange(-600, 6000))
            case "boolean":
                return chance.random() < 0.5
            case "integer" | "long":
                return chance.choice((0, 1, 5, -1, 100, 2**40))
            case "float" | "double":
                return chance.choice((0.0, 0.5, -1.0, 99.9, 1e12))
            case "blob":
                return chance.choice(("", "aGVsbG8=")) if odd else b"hello"
            case _:
                return chance.choice(tuple(shape.enum) if shape.enum and chance.random() < 0.8 else _TEXTS)

    def _left_out(self, name: str) -> bool:
        """A listing that goes on for ever is another matter: most end at once."""
        rare = 0.9 if name.lower().endswith(_TOKENS) else self.gaps
        return self.chance.random() < rare

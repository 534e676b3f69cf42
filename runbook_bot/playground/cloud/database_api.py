"""RDS's own events and the true ages of its instances."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from runbook_bot.playground.cloud.plot import Reports
from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_DAY = 86400.0
_RESTARTED = (
    ("DB instance shutdown", "availability", 3.0),
    ("DB instance restarted", "availability", 9.0),
)


class DatabaseApi:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._created: dict[str, float] = {}
        self._events: list[tuple[float, Parameters]] = []

    def handlers(self) -> Handlers:
        return {
            "rds:CreateDBInstance": self._create,
            "rds:DescribeDBInstances": self._describe,
            "rds:RebootDBInstance": self._reboot,
            "rds:ModifyDBInstance": self._modify,
            "rds:DescribeEvents": self._describe_events,
        }

    def happened(self, region: str, name: str, at: float, report: Reports) -> None:
        """RDS tells of something that nobody asked for, such as a failover."""
        told = self._event_of(region, name, report.message, report.category, at)
        self._events.append((at, told))

    async def _create(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        name = call.parameters["DBInstanceIdentifier"]
        self._created[name] = call.at
        self._tell(call, name, "DB instance created", "creation", 0.0)
        return answer

    def _backups(self, call: Call, start: float) -> Iterator[tuple[float, Parameters]]:
        """Every night at the hour of its making, as the automatic ones are."""
        for name, created in self._created.items():
            night = created + math.ceil(max(start - created, _DAY) / _DAY) * _DAY
            while night <= call.at:
                yield night, self._event(call, name, "Backing up DB instance", "backup", night)
                done = night + 240.0
                yield done, self._event(call, name, "Finished DB Instance backup", "backup", done)
                night += _DAY

    async def _describe(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        for instance in answer.get("DBInstances") or ():
            if (at := self._created.get(instance["DBInstanceIdentifier"])) is not None:
                instance["InstanceCreateTime"] = datetime.fromtimestamp(at, UTC)
        return answer

    async def _reboot(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        for text, category, later in _RESTARTED:
            self._tell(call, call.parameters["DBInstanceIdentifier"], text, category, later)
        return answer

    async def _modify(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        self._tell(
            call, call.parameters["DBInstanceIdentifier"], "Finished applying modification", "configuration change", 4.0
        )
        return answer

    async def _describe_events(self, call: Call) -> Parameters:
        asked = call.parameters
        end = float(asked.get("EndTime") or call.at)
        back = float(asked.get("Duration") or 60) * 60
        start = float(asked.get("StartTime") or end - back)
        if call.at - start > 14 * 86400 + 60:
            raise AwsError("InvalidParameterValue", "StartTime must be within the last 14 days.")
        kind, name = asked.get("SourceType"), asked.get("SourceIdentifier")
        if name and not kind:
            raise AwsError("InvalidParameterCombination", "SourceType is required with SourceIdentifier.")
        categories = asked.get("EventCategories")
        found = [
            event
            for at, event in sorted([*self._events, *self._backups(call, start)], key=lambda pair: pair[0])
            if start <= at <= min(end, call.at)
            and name in (None, event["SourceIdentifier"])
            and kind in (None, "db-instance")
            and (not categories or event["EventCategories"][0] in categories)
        ]
        first, size = int(asked.get("Marker") or 0), int(asked.get("MaxRecords") or 100)
        answer: Parameters = {"Events": found[first : first + size]}
        if first + size < len(found):
            answer["Marker"] = str(first + size)
        return answer

    def _tell(self, call: Call, name: str, text: str, category: str, later: float) -> None:
        self._events.append((call.at + later, self._event(call, name, text, category, call.at + later)))

    @classmethod
    def _event(cls, call: Call, name: str, text: str, category: str, at: float) -> Parameters:
        return cls._event_of(call.region, name, text, category, at)

    @staticmethod
    def _event_of(region: str, name: str, text: str, category: str, at: float) -> Parameters:
        return {
            "SourceIdentifier": name,
            "SourceType": "db-instance",
            "Message": text,
            "EventCategories": [category],
            "Date": datetime.fromtimestamp(at, UTC),
            "SourceArn": f"arn:aws:rds:{region}:123456789012:db:{name}",
        }

"""ElastiCache's events, which moto does not tell, and the true ages of its nodes."""

from datetime import UTC, datetime

from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import Call, Handlers, Parameters


class CacheApi:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._created: dict[str, float] = {}

    def handlers(self) -> Handlers:
        return {
            "elasticache:CreateCacheCluster": self._create,
            "elasticache:DescribeCacheClusters": self._describe,
            "elasticache:DescribeEvents": self._events,
        }

    async def _create(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        self._created[call.parameters["CacheClusterId"]] = call.at
        return answer

    async def _describe(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        for cluster in answer.get("CacheClusters") or ():
            if (at := self._created.get(cluster["CacheClusterId"])) is not None:
                cluster["CacheClusterCreateTime"] = datetime.fromtimestamp(at, UTC)
        return answer

    async def _events(self, call: Call) -> Parameters:
        asked = call.parameters
        end = float(asked.get("EndTime") or call.at)
        start = float(asked.get("StartTime") or end - float(asked.get("Duration") or 60) * 60)
        wanted = asked.get("SourceIdentifier")
        told = [
            {
                "SourceIdentifier": name,
                "SourceType": "cache-cluster",
                "Message": "Cache cluster created",
                "Date": datetime.fromtimestamp(at, UTC),
            }
            for name, at in self._created.items()
            if start <= at <= end and wanted in (None, name)
        ]
        return {"Events": told}

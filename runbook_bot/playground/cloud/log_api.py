"""CloudWatch Logs' reading operations with their pattern language, answered from what PutLogEvents brought."""

import base64
import uuid
from dataclasses import dataclass

from runbook_bot.playground.cloud.log_insights import InsightsError, run_query
from runbook_bot.playground.cloud.log_patterns import PatternError, compile_pattern
from runbook_bot.playground.cloud.log_store import Event, LogStore
from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_LIMIT = 10_000
_QUERIES_KEPT = 200


@dataclass(frozen=True)
class _Finished:
    rows: list[list[dict[str, str]]]
    matched: int
    scanned: int


class LogApi:
    def __init__(self, store: LogStore, upstream: Upstream) -> None:
        self._store = store
        self._upstream = upstream
        self._queries: dict[str, _Finished] = {}

    def handlers(self) -> Handlers:
        return {
            "logs:PutLogEvents": self._put,
            "logs:FilterLogEvents": self._filter,
            "logs:StartQuery": self._start_query,
            "logs:GetQueryResults": self._results,
            "logs:StopQuery": self._stop_query,
        }

    async def _put(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        asked = call.parameters
        self._store.put(asked["logGroupName"], asked["logStreamName"], asked["logEvents"], call.at)
        return answer

    async def _filter(self, call: Call) -> Parameters:
        asked = call.parameters
        group = await self._group(call, asked.get("logGroupName") or asked.get("logGroupIdentifier") or "")
        try:
            matches = compile_pattern(asked.get("filterPattern"))
        except PatternError as error:
            raise AwsError("InvalidParameterException", f"Invalid filter pattern: {error}") from error
        streams, prefix = asked.get("logStreamNames"), asked.get("logStreamNamePrefix") or ""
        start, end = int(asked.get("startTime") or 0), int(asked.get("endTime") or call.at * 1000)
        first, limit = _offset(asked.get("nextToken")), min(int(asked.get("limit") or _LIMIT), _LIMIT)
        found: list[Event] = []
        skipped, more = 0, False
        for event in self._store.between(group, start, end):
            if (streams and event.stream not in streams) or not event.stream.startswith(prefix):
                continue
            if not matches(event.message):
                continue
            if skipped < first:
                skipped += 1
            elif len(found) == limit:
                more = True
                break
            else:
                found.append(event)
        answer: Parameters = {"events": [_shown(event) for event in found], "searchedLogStreams": []}
        if more:
            answer["nextToken"] = base64.urlsafe_b64encode(f"o:{first + limit}".encode()).decode()
        return answer

    async def _start_query(self, call: Call) -> Parameters:
        asked = call.parameters
        wanted = [asked.get("logGroupName"), *(asked.get("logGroupNames") or ())]
        wanted += asked.get("logGroupIdentifiers") or ()
        groups = [await self._group(call, name) for name in wanted if name]
        if not groups:
            raise AwsError("InvalidParameterException", "No log group was given.")
        start, end = (int(asked[each]) * 1000 for each in ("startTime", "endTime"))
        events = [(group, event) for group in groups for event in self._store.between(group, start, end + 999)]
        try:
            rows, matched = run_query(asked.get("queryString") or "", events, int(asked.get("limit") or 1000))
        except InsightsError as error:
            raise AwsError("MalformedQueryException", str(error)) from error
        id = str(uuid.uuid4())
        self._queries[id] = _Finished(rows, matched, len(events))
        while len(self._queries) > _QUERIES_KEPT:
            self._queries.pop(next(iter(self._queries)))
        return {"queryId": id}

    async def _results(self, call: Call) -> Parameters:
        finished = self._queries.get(call.parameters.get("queryId") or "")
        if finished is None:
            raise AwsError("ResourceNotFoundException", "The specified query does not exist.")
        statistics = {
            "recordsMatched": float(finished.matched),
            "recordsScanned": float(finished.scanned),
            "bytesScanned": float(finished.scanned * 200),
        }
        return {"queryLanguage": "CWLI", "results": finished.rows, "statistics": statistics, "status": "Complete"}

    async def _stop_query(self, call: Call) -> Parameters:
        return {"success": call.parameters.get("queryId") in self._queries}

    async def _group(self, call: Call, name: str) -> str:
        """The name of a log group given by name or ARN; one that no event went to may still exist at moto."""
        name = name.partition(":log-group:")[2].removesuffix(":*") if name.startswith("arn:") else name
        if name in self._store.groups or await self._exists(call, name):
            return name
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")

    async def _exists(self, call: Call, name: str) -> bool:
        answer = await self._upstream.invent(call, "DescribeLogGroups", {"logGroupNamePrefix": name})
        return any(group["logGroupName"] == name for group in answer.get("logGroups") or ())


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind == "o":
            return int(number)
    except ValueError:
        pass
    raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")


def _shown(event: Event) -> Parameters:
    return {
        "logStreamName": event.stream,
        "timestamp": event.at,
        "message": event.message,
        "ingestionTime": max(event.taken, event.at),
        "eventId": event.id,
    }

"""What can be asked of Kinesis Data Streams: streams, their shards, and who reads them and how far behind."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_STREAMS = 100
_MOST_SHARDS = 1000
_MOST_MEASURED = 200
_MOST_CONSUMERS = 100
_SHARD_BYTES, _SHARD_RECORDS = 1024**2, 1000
"""What one shard takes a second; from the Kinesis guide, "Quotas and limits"."""
_HASHES = 2**128
_KINESIS = "AWS/Kinesis"
_GAUGES = (
    Gauge("bytes_in_peak_per_s", _KINESIS, "IncomingBytes", "Sum", "peak", "per_second"),
    Gauge("records_in_peak_per_s", _KINESIS, "IncomingRecords", "Sum", "peak", "per_second"),
    Gauge("writes_throttled", _KINESIS, "WriteProvisionedThroughputExceeded", "Sum", "total", "same", True),
    Gauge("reads_throttled", _KINESIS, "ReadProvisionedThroughputExceeded", "Sum", "total", "same", True),
    Gauge("iterator_age_peak_s", _KINESIS, "GetRecords.IteratorAgeMilliseconds", "Maximum", "peak", "milliseconds"),
    Gauge("iterator_age_s", _KINESIS, "GetRecords.IteratorAgeMilliseconds", "Maximum", "latest", "milliseconds"),
)
_OF_SHARDS = (
    *_GAUGES[:4],
    Gauge("iterator_age_peak_s", _KINESIS, "IteratorAgeMilliseconds", "Maximum", "peak", "milliseconds"),
)
_OF_CONSUMERS = (
    Gauge("behind_s", _KINESIS, "SubscribeToShardEvent.MillisBehindLatest", "Maximum", "latest", "milliseconds"),
    Gauge("behind_peak_s", _KINESIS, "SubscribeToShardEvent.MillisBehindLatest", "Maximum", "peak", "milliseconds"),
    Gauge("records", _KINESIS, "SubscribeToShardEvent.Records", "Sum", "total"),
    Gauge("refused", _KINESIS, "SubscribeToShard.RateExceeded", "Sum", "total"),
)


def _link(place: Place, name: str | None) -> str:
    page = f"/streams/details/{name}/monitoring" if name else "/streams/list"
    return f"https://{console_host(place.region)}/kinesis/home?region={place.region}#{page}"


async def _summary(place: Place, name: str) -> Answer:
    answer = await place.call("kinesis", "DescribeStreamSummary", StreamName=name)
    summary: Answer = answer.get("StreamDescriptionSummary") or {}
    if not summary:
        raise CallFailed("missing", f"there is no stream {name}", action="kinesis:DescribeStreamSummary")
    return summary


def _on_demand(told: Answer) -> bool:
    return (told.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND"


class Streams(Operation):
    """Streams with shards, peak writes against what the shards take, throttles, and iterator age against retention."""

    kind: ClassVar[str] = "aws.kinesis.streams"
    service = "kinesis"
    calls = ("ListStreams", "DescribeStreamSummary", *MEASURING)
    words = ("streams", "kinesis streams", "iterator age", "stream throttles")

    name: str | None = Field(default=None, description="Name of the stream; none means all")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        names = (
            [self.name] if self.name else await place.gather("kinesis", "ListStreams", "StreamNames", _MOST_STREAMS + 1)
        )
        if self.name:
            found, failures = [(self.name, await _summary(place, self.name))], list[CallFailed]()
        else:
            found, failures = await for_each(names[:_MOST_STREAMS], lambda name: _summary(place, str(name)))
        asked = [Asked(str(name), {"StreamName": str(name)}, _GAUGES) for name, _ in found]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_stream(str(name), told, levels[str(name)]) for name, told in found]
        rows.sort(
            key=lambda row: (
                row.facts["status"] == "ACTIVE",
                -_n(row, "writes_throttled") - _n(row, "reads_throttled"),
                -_n(row, "age_percent_of_retention"),
                row.name,
            )
        )
        more = f"only the first {_MOST_STREAMS} streams were read; name one" if len(names) > _MOST_STREAMS else ""
        return self.table(
            place, rows, empty="Kinesis has no stream here", failures=[*failures, *unread], more=more,
            console=_link(place, self.name),
        )  # fmt: skip


def _stream(name: str, told: Answer, levels: Levels) -> Row:
    shards = told.get("OpenShardCount")
    limit = None if _on_demand(told) else shards
    hours = told.get("RetentionPeriodHours")
    enabled = [each for one in told.get("EnhancedMonitoring") or [] for each in one.get("ShardLevelMetrics") or []]
    return Row(
        name=name,
        at=told.get("StreamCreationTimestamp"),
        facts={
            "status": told.get("StreamStatus"),
            "writes_throttled": levels.get("writes_throttled"),
            "reads_throttled": levels.get("reads_throttled"),
            "write_percent": _busiest(levels, limit),
            "iterator_age_s": levels.get("iterator_age_s"),
            "age_percent_of_retention": share(levels.get("iterator_age_s"), hours * 3600 if hours else None),
            "shards": shards,
            "mode": "on demand" if _on_demand(told) else "provisioned",
            **levels,
            "retention_hours": hours,
            "consumers": told.get("ConsumerCount"),
            "shard_level_metrics": bool(enabled),
        },
    )


def _busiest(levels: Levels, shards: int | None) -> float | None:
    """Bytes or records written, whichever is nearer to what that many shards take."""
    parts = (
        share(levels.get("bytes_in_peak_per_s"), shards * _SHARD_BYTES if shards else None),
        share(levels.get("records_in_peak_per_s"), shards * _SHARD_RECORDS if shards else None),
    )
    return max((each for each in parts if each is not None), default=None)


def _n(row: Row, fact: str) -> float:
    value = row.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0


class Shards(Operation):
    """Open shards of a stream with their part of the key space and, where enabled, load and throttles of each."""

    kind: ClassVar[str] = "aws.kinesis.shards"
    service = "kinesis"
    calls = ("DescribeStreamSummary", "ListShards", *MEASURING)
    words = ("shards", "hot shard", "hot shards", "kinesis shards")

    name: str = Field(description="Name of the stream")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        summary = await _summary(place, self.name)
        # one page, for the next one must be asked for without the stream's name
        answer = await place.call("kinesis", "ListShards", StreamName=self.name, MaxResults=_MOST_SHARDS)
        listed: list[Answer] = answer.get("Shards") or []
        shards = [e for e in listed if not (e.get("SequenceNumberRange") or {}).get("EndingSequenceNumber")]
        monitored = any(each.get("ShardLevelMetrics") for each in summary.get("EnhancedMonitoring") or [])
        ids = [str(each.get("ShardId")) for each in shards]
        asked = [Asked(id, {"StreamName": self.name, "ShardId": id}, _OF_SHARDS) for id in ids[:_MOST_MEASURED]]
        levels, failures = await read_levels(place, asked if monitored else [], last(1, now, self.window), now)
        rows = [_shard(each, levels.get(str(each.get("ShardId"))) or {}) for each in shards]
        rows.sort(
            key=lambda row: (
                -_n(row, "writes_throttled") - _n(row, "reads_throttled"),
                -_n(row, "write_percent"),
                -_n(row, "key_space_percent"),
                row.name,
            )
        )
        told = [] if monitored else ["shard-level metrics are not enabled: which shard is hot cannot be told"]
        if answer.get("NextToken"):
            told.append(f"only the first {_MOST_SHARDS} shards were read")
        if monitored and len(ids) > _MOST_MEASURED:
            told.append(f"of {len(ids)} open shards {_MOST_MEASURED} were measured")
        return self.table(
            place, rows, empty=f"stream {self.name} has no open shard", failures=failures, more="; ".join(told),
            console=_link(place, self.name),
        )  # fmt: skip


def _shard(told: Answer, levels: Levels) -> Row:
    hashes = told.get("HashKeyRange") or {}
    start, end = str(hashes.get("StartingHashKey", "")), str(hashes.get("EndingHashKey", ""))
    width = (int(end) - int(start) + 1) / _HASHES if start.isdecimal() and end.isdecimal() else None
    return Row(
        name=str(told.get("ShardId", "?")),
        facts={
            "key_space_percent": None if width is None else rounded(100 * width),
            **levels,
            "write_percent": _busiest(levels, 1),
            "parent": told.get("ParentShardId"),
        },
    )


class Consumers(Operation):
    """Who reads a stream (registered consumers, functions), whether it works, and how far each is behind."""

    kind: ClassVar[str] = "aws.kinesis.consumers"
    service = "kinesis"
    calls = (
        "DescribeStreamSummary",
        "ListStreamConsumers",
        "lambda:ListEventSourceMappings",
        *MEASURING,
    )
    words = ("stream consumers", "who reads the stream", "consumer lag", "enhanced fan-out")

    name: str = Field(description="Name of the stream")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        arn = str((await _summary(place, self.name)).get("StreamARN", ""))
        failures: list[CallFailed] = []
        registered = await _listed(place, failures, "kinesis", "ListStreamConsumers", "Consumers", StreamARN=arn)
        mappings = await _listed(
            place, failures, "lambda", "ListEventSourceMappings", "EventSourceMappings", EventSourceArn=arn
        )
        names = [str(each.get("ConsumerName", "")) for each in registered]
        asked = [Asked(name, {"StreamName": self.name, "ConsumerName": name}, _OF_CONSUMERS) for name in names]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_consumer(each, levels[name]) for each, name in zip(registered, names, strict=True)]
        rows += [_function(each) for each in mappings]
        rows.sort(key=lambda row: (row.facts["well"] is True, -_n(row, "behind_s"), row.name))
        empty = f"nobody is registered to read {self.name}, and no function does; others may poll it without a trace"
        return self.table(place, rows, empty=empty, failures=[*failures, *unread], console=_link(place, self.name))


async def _listed(
    place: Place, failures: list[CallFailed], service: str, action: str, key: str, **parameters: str
) -> Sequence[Answer]:
    try:
        return await place.gather(service, action, key, _MOST_CONSUMERS, **parameters)
    except CallFailed as failure:
        failures.append(failure)
        return []


def _consumer(told: Answer, levels: Levels) -> Row:
    return Row(
        name=str(told.get("ConsumerName", "?")),
        at=told.get("ConsumerCreationTimestamp"),
        facts={
            "kind": "enhanced fan-out",
            "status": told.get("ConsumerStatus"),
            "well": told.get("ConsumerStatus") == "ACTIVE",
            **levels,
        },
    )


def _function(told: Answer) -> Row:
    outcome = str(told.get("LastProcessingResult") or "")
    well = told.get("State") == "Enabled" and not outcome.startswith("PROBLEM")
    return Row(
        name=str(told.get("FunctionArn", "")).partition(":function:")[2] or "?",
        at=told.get("LastModified"),
        facts={
            "kind": "function",
            "status": told.get("State"),
            "well": well,
            "last_result": one_line(outcome) or None,
            "reason": one_line(str(told.get("StateTransitionReason") or "")) or None,
            "batch_size": told.get("BatchSize"),
            "parallel_per_shard": told.get("ParallelizationFactor"),
            "attempts_at_most": told.get("MaximumRetryAttempts"),
            "splits_on_error": told.get("BisectBatchOnFunctionError"),
            "failures_to": ((told.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
        },
    )


OPERATIONS = (Streams, Shards, Consumers)

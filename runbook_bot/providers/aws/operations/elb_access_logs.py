"""What the access logs of a load balancer say about a window: read from S3, within bounds."""

import asyncio
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import few
from runbook_bot.providers.aws.elb import load_balancer
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.elb_log_lines import Tally
from runbook_bot.providers.aws.operations.elb_tls_lines import TlsTally
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_OBJECTS = 60
_MOST_LISTED = 5000
_MOST_BYTES = 4_000_000
"""Of one object, as it is stored."""
_MOST_BYTES_IN_ALL = 24_000_000
_MOST_TEXT = 40_000_000
"""Of one object, unpacked."""
_SECONDS = 7.0
_AT_ONCE = 6
_PUBLISHED_LATE = timedelta(minutes=10)
"""A file is named for the end of its five minutes and comes up to five minutes after it."""
_MOST_DAYS = 3


_Counting = Tally | TlsTally


@dataclass(frozen=True)
class _Home:
    """Where the logs of one load balancer are."""

    bucket: str
    folder: str
    """Up to the day, with a closing slash."""
    name: str
    """How its files begin, up to their time."""


class AccessLogs(Operation):
    """Access logs of a load balancer over a window: statuses, slow paths, who errs; of network ones TLS handshakes."""

    kind: ClassVar[str] = "aws.elbv2.access_logs"
    service = "elbv2"
    calls = (
        "DescribeLoadBalancers",
        "DescribeLoadBalancerAttributes",
        "s3:ListObjectsV2",
        "s3:GetObject",
    )
    words = ("access logs", "access log summary", "slowest paths", "which clients get errors", "which paths fail",
             "top client errors", "nlb access logs", "failed tls handshakes", "tls alerts of clients")  # fmt: skip

    load_balancer: str = Field(description="Name of the application or network load balancer")
    window: TimeWindow | None = Field(default=None, description="Which requests to count; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        balancer = await load_balancer(place, self.load_balancer)
        window = last(1.0, now, self.window)
        kind = balancer.get("Type", "application")
        if kind not in ("application", "network"):
            return self.table(place, [], empty=f"a {kind} load balancer writes no access logs")
        attributes = await place.call(
            "elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=balancer["LoadBalancerArn"]
        )
        home = _home(balancer, attributes.get("Attributes") or [])
        if home is None:
            return self.table(place, [], empty="its access logs are off: the setting access_logs.s3.enabled is false")
        listed = await _listed(place, home, window)
        chosen = _chosen(listed)
        tally = Tally(window.start, window.end) if kind == "application" else TlsTally(window.start, window.end)
        read, failures = await _read(place, home.bucket, chosen, tally)
        return self.table(
            place,
            await asyncio.to_thread(tally.rows),
            empty=_nothing(home, listed, tally, tls=kind == "network"),
            failures=few(failures),
            more=_left_out(window, listed, read, tally),
            console=f"https://{console_host(place.region)}/s3/buckets/{quote(home.bucket, safe='')}"
            f"?region={place.region}&prefix={quote(home.folder, safe='/')}",
        )


def _home(balancer: Answer, attributes: Sequence[Answer]) -> _Home | None:
    told = {str(each.get("Key")): str(each.get("Value", "")) for each in attributes}
    bucket = told.get("access_logs.s3.bucket", "")
    if told.get("access_logs.s3.enabled") != "true" or not bucket:
        return None
    _, _, _, region, account, rest = str(balancer["LoadBalancerArn"]).split(":", 5)
    prefix = told.get("access_logs.s3.prefix", "")
    folder = (f"{prefix}/" if prefix else "") + f"AWSLogs/{account}/elasticloadbalancing/{region}/"
    id = rest.removeprefix("loadbalancer/").replace("/", ".")
    return _Home(bucket, folder, f"{account}_elasticloadbalancing_{region}_{id}_")


async def _listed(place: Place, home: _Home, window: TimeWindow) -> list[Answer]:
    """The files that may hold lines of the window, in the order of their times. Raises `CallFailed`."""
    found: list[Answer] = []
    end = window.end + _PUBLISHED_LATE
    until = f"{end:%Y%m%dT%H%M}"
    day = max(window.start, end - timedelta(days=_MOST_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        start = f"{home.folder}{day:%Y/%m/%d}/{home.name}"
        request = {"Bucket": home.bucket, "Prefix": start, "StartAfter": f"{start}{max(window.start, day):%Y%m%dT%H%M}"}
        async for page in place.pages("s3", "ListObjectsV2", **request):
            found += page.get("Contents") or []
            past = found and str(found[-1].get("Key", "")).rpartition(home.name)[2] > until
            if past or len(found) >= _MOST_LISTED:
                break
        day += timedelta(days=1)
    return [each for each in found if str(each.get("Key", "")).rpartition(home.name)[2] <= until]


def _chosen(listed: Sequence[Answer]) -> list[Answer]:
    """All, or as many as may be read, spread evenly over the window: a sample that is not of its beginning alone."""
    step = max(1.0, len(listed) / _MOST_OBJECTS)
    spread = [listed[int(index * step)] for index in range(min(len(listed), _MOST_OBJECTS))]
    total = sum(min(int(each.get("Size", 0)), _MOST_BYTES) for each in spread)
    if total <= _MOST_BYTES_IN_ALL:
        return spread
    fewer = max(1, len(spread) * _MOST_BYTES_IN_ALL // total)
    return [spread[index * len(spread) // fewer] for index in range(fewer)]


async def _read(place: Place, bucket: str, chosen: Sequence[Answer], tally: _Counting) -> tuple[int, list[CallFailed]]:
    """How many objects were read until the time was up, and which could not be."""
    until = time.monotonic() + _SECONDS
    read, failures = 0, list[CallFailed]()
    for start in range(0, len(chosen), _AT_ONCE):
        if time.monotonic() > until:
            break
        batch = chosen[start : start + _AT_ONCE]
        contents = await asyncio.gather(*(_object(place, bucket, str(each["Key"])) for each in batch))
        for content in contents:
            if isinstance(content, CallFailed):
                failures.append(content)
            else:
                await asyncio.to_thread(_count, tally, content)
                read += 1
        if failures and not read and failures[0].kind == "denied":
            break
    return read, [each for each in failures if each.kind != "missing"]


async def _object(place: Place, bucket: str, key: str) -> bytes | CallFailed:
    try:
        return await place.read("s3", "GetObject", "Body", _MOST_BYTES, Bucket=bucket, Key=key)
    except CallFailed as failure:
        return failure


def _count(tally: _Counting, content: bytes) -> None:
    for line in _lines(content):
        tally.add(line)


def _lines(content: bytes) -> Iterable[str]:
    """The lines of a packed file, as far as it could be read; a torn last line is left out."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)  # 16: with gzip's own header
    try:
        text = unpacking.decompress(content, _MOST_TEXT)
    except zlib.error:
        text = content if not content.startswith(b"\x1f\x8b") else b""
    whole = text if unpacking.eof else text[: text.rfind(b"\n") + 1]
    return whole.decode("utf-8", "replace").splitlines()


def _nothing(home: _Home, listed: Sequence[Answer], tally: _Counting, *, tls: bool) -> str:
    if not listed and tls:
        return (
            f"there is no log file for this window in s3://{home.bucket}/{home.folder}: "
            "a network load balancer writes them for its TLS listeners alone, 5 minutes late"
        )
    if not listed:
        return f"there is no log file for this window in s3://{home.bucket}/{home.folder} (they come 5 minutes late)"
    if tally.unread:
        return f"none of the {tally.unread} lines in its log files could be read"
    return "its log files tell of no request in this window"


def _left_out(window: TimeWindow, listed: Sequence[Answer], read: int, tally: _Counting) -> str:
    told = []
    if window.length > timedelta(days=_MOST_DAYS):
        told.append(f"only the last {_MOST_DAYS} days of the window were looked at; Athena reads all of it")
    if len(listed) >= _MOST_LISTED:
        told.append(f"there are more than {_MOST_LISTED} log files in this window, of which the first were looked at")
    if read < len(listed):
        told.append(
            f"{read} of {len(listed)} log files were read, spread over the window: counts are of those alone;"
            " a shorter window reads all of it, Athena everything"
        )
    if tally.unread:
        told.append(f"{tally.unread} lines could not be read")
    return "; ".join(told)


OPERATIONS = (AccessLogs,)

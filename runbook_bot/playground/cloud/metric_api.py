"""CloudWatch's metric operations, answered from the samples that went through PutMetricData."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runbook_bot.playground.cloud.metric_math import Formula, MathError, Points
from runbook_bot.playground.cloud.metric_store import MetricStore, known_statistic
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_PAGE = 100_800
_LIST_PAGE = 500
_STATISTICS_LIMIT = 1440


class MetricApi:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def handlers(self) -> Handlers:
        return {
            "cloudwatch:PutMetricData": self._put,
            "cloudwatch:GetMetricData": self._get_data,
            "cloudwatch:GetMetricStatistics": self._get_statistics,
            "cloudwatch:ListMetrics": self._list,
        }

    async def _put(self, call: Call) -> Parameters:
        data = call.parameters.get("MetricData") or []
        if len(data) > 1000:
            raise AwsError("ValidationError", "The collection MetricData must not have a size greater than 1000.")
        self._store.put(call.parameters.get("Namespace", ""), data, call.at)
        return {}

    async def _get_data(self, call: Call) -> Parameters:
        queries = call.parameters.get("MetricDataQueries") or []
        if len(queries) > 500:
            raise AwsError("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.")
        start, end = _range(call.parameters)
        results = _Evaluation(self._store, queries, start, end).results()
        newest_first = call.parameters.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        page = min(int(call.parameters.get("MaxDatapoints") or _PAGE), _PAGE)
        return _page(results, newest_first, page, int(call.parameters.get("NextToken") or 0))

    async def _get_statistics(self, call: Call) -> Parameters:
        asked = call.parameters
        start, end = _range(asked)
        period = _period(asked.get("Period"))
        if math.ceil((end - start) / period) > _STATISTICS_LIMIT:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {math.ceil((end - start) / period):,} datapoints, which exceeds the limit "
                f"of {_STATISTICS_LIMIT:,}. You may reduce the datapoints requested by increasing Period, or "
                "decreasing the time range.",
            )
        plain, extended = asked.get("Statistics") or [], asked.get("ExtendedStatistics") or []
        if not plain and not extended:
            raise AwsError("MissingParameter", "The parameter Statistics or ExtendedStatistics is required.")
        track = self._store.track(asked)
        rows: dict[float, Parameters] = {}
        for statistic in (*plain, *extended) if track else ():
            assert track is not None
            for at, value in track.points(_statistic(statistic), start, end, period).items():
                row = rows.setdefault(at, {"Timestamp": _moment(at), "Unit": track.unit})
                if statistic in plain:
                    row[statistic] = value
                else:
                    row.setdefault("ExtendedStatistics", {})[statistic] = value
        return {"Label": asked.get("MetricName", ""), "Datapoints": [rows[at] for at in sorted(rows)]}

    async def _list(self, call: Call) -> Parameters:
        asked = call.parameters
        found = [
            {"Namespace": ns, "MetricName": name, "Dimensions": [{"Name": n, "Value": v} for n, v in dims]}
            for ns, name, dims in sorted(self._store.tracks)
            if asked.get("Namespace") in (None, ns)
            and asked.get("MetricName") in (None, name)
            and all(_has(dims, wanted) for wanted in asked.get("Dimensions") or ())
        ]
        first = int(asked.get("NextToken") or 0)
        answer: Parameters = {"Metrics": found[first : first + _LIST_PAGE]}
        if first + _LIST_PAGE < len(found):
            answer["NextToken"] = str(first + _LIST_PAGE)
        return answer


def query_points(
    store: MetricStore, queries: list[Mapping[str, Any]], start: float, end: float
) -> dict[str, tuple[str, Points]]:
    """Id → label and points of each query of a GetMetricData call or a metric-math alarm. Raises `AwsError`."""
    return _Evaluation(store, queries, start, end).evaluate()


class _Evaluation:
    """One set of queries over one range; ids resolve each other in any order."""

    def __init__(self, store: MetricStore, queries: list[Mapping[str, Any]], start: float, end: float) -> None:
        self._store = store
        self._queries = {query["Id"]: query for query in queries}
        if len(self._queries) != len(queries):
            raise AwsError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
        self._start, self._end = start, end
        self._done: dict[str, Points] = {}
        self._open: set[str] = set()

    def results(self) -> list[tuple[str, str, Points]]:
        wanted = [id for id, query in self._queries.items() if query.get("ReturnData", True)]
        everything = self.evaluate()
        return [(id, *everything[id]) for id in wanted]

    def evaluate(self) -> dict[str, tuple[str, Points]]:
        return {id: (_label(query), self._points(id)) for id, query in self._queries.items()}

    def _points(self, id: str) -> Points:
        if id in self._done:
            return self._done[id]
        if id in self._open:
            raise AwsError("ValidationError", f"The expression of {id} refers to itself.")
        self._open.add(id)
        query = self._queries[id]
        if stat := query.get("MetricStat"):
            track = self._store.track(stat["Metric"])
            statistic, period = _statistic(stat.get("Stat", "")), _period(stat.get("Period"))
            points = track.points(statistic, self._start, self._end, period) if track else {}
        else:
            points = self._formula(id, query)
        self._open.discard(id)
        self._done[id] = points
        return points

    def _formula(self, id: str, query: Mapping[str, Any]) -> Points:
        text = query.get("Expression") or ""
        plain = [each for each, q in self._queries.items() if q.get("MetricStat")]
        named = [each for each in self._queries if each != id and (each in text or "METRICS" in text.upper())]
        if "METRICS" in text.upper():
            named = [each for each in named if each in plain or each in text]
        series = {each: self._points(each) for each in named}
        periods = [self._queries[each]["MetricStat"]["Period"] for each in named if each in plain]
        period = float(query.get("Period") or max(periods, default=60))
        try:
            return Formula(text, series, self._start, self._end, period).points()
        except MathError as error:
            raise AwsError("ValidationError", f"Error in expression '{id}': {error}") from error


def _page(results: list[tuple[str, str, Points]], newest_first: bool, page: int, first: int) -> Parameters:
    """One page of at most so many data points; the token is the number of points already given."""
    answers: list[Parameters] = []
    seen, room = 0, page
    for id, label, points in results:
        times = sorted(points, reverse=newest_first)
        rest = times[max(0, first - seen) :]
        seen += len(times)
        if seen <= first and times:
            continue
        given = rest[:room]
        room -= len(given)
        answers.append(
            {
                "Id": id,
                "Label": label,
                "Timestamps": [_moment(at) for at in given],
                "Values": [points[at] for at in given],
                "StatusCode": "Complete" if len(given) == len(rest) else "PartialData",
            }
        )
    answer: Parameters = {"MetricDataResults": answers, "Messages": []}
    if first + page < seen:
        answer["NextToken"] = str(first + page)
    return answer


def _label(query: Mapping[str, Any]) -> str:
    if query.get("Label"):
        return str(query["Label"])
    stat = query.get("MetricStat")
    return str(stat["Metric"]["MetricName"]) if stat else str(query["Id"])


def _has(dimensions: tuple[tuple[str, str], ...], wanted: Mapping[str, str]) -> bool:
    return any(name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in dimensions)


def _range(asked: Parameters) -> tuple[float, float]:
    start, end = float(asked.get("StartTime", 0)), float(asked.get("EndTime", 0))
    if end <= start:
        raise AwsError("ValidationError", "The parameter EndTime must be greater than StartTime.")
    return start, end


def _period(value: object) -> float:
    period = int(value) if isinstance(value, int | float | str) else 0
    if period not in (1, 5, 10, 20, 30) and (period <= 0 or period % 60):
        raise AwsError("ValidationError", "Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    return float(period)


def _statistic(name: str) -> str:
    if not known_statistic(name):
        raise AwsError("ValidationError", f"The value {name} for parameter Stat is not supported.")
    return name


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

"""Logs Insights queries over log events: fields, filter, parse, stats … by, sort, limit, display, dedup."""

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runbook_bot.playground.cloud.log_store import Event

Row = dict[str, Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|/(?P<regex>(?:[^/\\]|\\.)+)/(?P<flags>i?)"
    r"|(?P<op>=~|!=|>=|<=|[=<>(),*])|(?P<word>[@\w.`:-]+))"
)
_SPAN = re.compile(r"(\d+)\s*(s|m|h|d|sec|min|minute|minutes|hour|hours|day)?")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600}
_SECONDS |= {"d": 86400, "day": 86400}
_STATS = ("count", "count_distinct", "sum", "avg", "min", "max", "pct", "earliest", "latest")


class InsightsError(ValueError):
    """The query cannot be read; the message says where."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    flags: str = ""


def run_query(text: str, events: Iterable[tuple[str, Event]], limit: int) -> tuple[list[list[dict[str, str]]], int]:
    """Result rows as GetQueryResults has them, and how many events matched. Raises `InsightsError`."""
    rows = [_row(group, event) for group, event in events]
    shown: list[str] | None = None
    matched, sorted_, counted = len(rows), False, False
    for command in _commands(text):
        name, rest = command[0].text.lower(), command[1:]
        match name:
            case "fields" | "display":
                shown = _names(rest)
            case "filter":
                test = _Condition(rest).compiled()
                rows = [row for row in rows if test(row)]
                matched = len(rows) if not counted else matched
            case "stats":
                rows, shown = _stats(rest, rows)
                counted = True
            case "sort" | "order":
                rows, sorted_ = _sorted(rest, rows), True
            case "limit" | "head":
                limit = min(limit, int(_one(rest)))
            case "dedup":
                rows = list({tuple(str(row.get(n)) for n in _names(rest)): row for row in reversed(rows)}.values())[
                    ::-1
                ]
            case "parse":
                _parse(rest, rows)
            case _:
                raise InsightsError(f"unexpected symbol found {name} at the start of a command")
    if not sorted_ and not counted:
        rows.sort(key=lambda row: -row["@ms"])
    names = shown or ["@timestamp", "@message"]
    return [_cells(row, names) for row in rows[: min(limit, 10_000)]], matched


def _row(group: str, event: Event) -> Row:
    row: Row = {
        "@ms": event.at,
        "@timestamp": _stamp(event.at),
        "@message": event.message,
        "@logStream": event.stream,
        "@log": f"123456789012:{group}",
        "@ptr": event.id,
    }
    start = event.message.find("{")
    if start >= 0 and event.message.endswith("}"):
        try:
            parsed = json.loads(event.message[start:])
        except ValueError:
            return row
        if isinstance(parsed, dict):
            row |= _flat(parsed)
    return row


def _flat(value: dict[str, Any], prefix: str = "") -> Row:
    found: Row = {}
    for key, each in value.items():
        if isinstance(each, dict):
            found |= _flat(each, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = each
    return found


def _commands(text: str) -> list[list[_Token]]:
    commands: list[list[_Token]] = [[]]
    at = 0
    text = re.sub(r"(?m)^\s*#.*$", "", text).strip()
    while at < len(text):
        bar = re.compile(r"\s*\|").match(text, at)
        if bar:
            commands.append([])
            at = bar.end()
            continue
        found = _TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            raise InsightsError(f"unexpected symbol found at position {at}: {text[at : at + 20]!r}")
        if found["text"] is not None:
            commands[-1].append(_Token("text", re.sub(r"\\(.)", r"\1", found["text"][1:-1])))
        elif found["regex"] is not None:
            commands[-1].append(_Token("regex", found["regex"], found["flags"] or ""))
        elif found["op"] is not None:
            commands[-1].append(_Token("op", found["op"]))
        else:
            commands[-1].append(_Token("word", found["word"].strip("`")))
        at = found.end()
    return [command for command in commands if command]


def _names(tokens: list[_Token]) -> list[str]:
    return [token.text for token in tokens if token.kind == "word"]


def _one(tokens: list[_Token]) -> str:
    if len(tokens) != 1 or not tokens[0].text.isdigit():
        raise InsightsError("limit takes one number")
    return tokens[0].text


class _Condition:
    """`a like /x/ and (b = 1 or not c in ["x"])`, read by descent."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = list(tokens)

    def compiled(self) -> Callable[[Row], bool]:
        test = self._either()
        if self._tokens:
            raise InsightsError(f"unexpected symbol found {self._tokens[0].text!r} in filter")
        return test

    def _either(self) -> Callable[[Row], bool]:
        sides = [self._both()]
        while self._word("or"):
            sides.append(self._both())
        return lambda row: any(side(row) for side in sides)

    def _both(self) -> Callable[[Row], bool]:
        sides = [self._single()]
        while self._word("and"):
            sides.append(self._single())
        return lambda row: all(side(row) for side in sides)

    def _single(self) -> Callable[[Row], bool]:
        if self._word("not"):
            inner = self._single()
            return lambda row: not inner(row)
        if self._tokens and self._tokens[0] == _Token("op", "("):
            self._tokens.pop(0)
            inner = self._either()
            if not self._tokens or self._tokens.pop(0).text != ")":
                raise InsightsError("a ) is missing in filter")
            return inner
        return self._comparison()

    def _comparison(self) -> Callable[[Row], bool]:
        if not self._tokens:
            raise InsightsError("filter ends too early")
        field = self._tokens.pop(0)
        if field.text.lower() == "ispresent" and len(self._tokens) >= 3:
            name = self._tokens[1].text
            del self._tokens[:3]
            return lambda row: row.get(name) is not None
        negated = bool(self._word("not"))
        if not self._tokens:  # a bare phrase searches the message
            wanted = field.text
            return lambda row: (wanted in row["@message"]) != negated
        op = self._tokens.pop(0).text.lower()
        if not self._tokens:
            raise InsightsError(f"nothing follows {op!r} in filter")
        value = self._tokens.pop(0)
        name = field.text
        if op in ("like", "=~"):
            pattern = _pattern(value)
            return lambda row: (pattern.search(str(row.get(name, ""))) is not None) != negated
        if op in ("=", "!=", ">", "<", ">=", "<="):
            return lambda row: _compared(row.get(name), op, value.text) != negated
        raise InsightsError(f"unexpected symbol found {op!r} in filter")

    def _word(self, text: str) -> bool:
        if self._tokens and self._tokens[0].kind == "word" and self._tokens[0].text.lower() == text:
            self._tokens.pop(0)
            return True
        return False


def _pattern(token: _Token) -> re.Pattern[str]:
    if token.kind != "regex":
        return re.compile(re.escape(token.text))
    try:
        return re.compile(token.text.replace("\\/", "/"), re.IGNORECASE if token.flags else 0)
    except re.error as error:
        raise InsightsError(f"the regular expression {token.text!r} is wrong: {error}") from error


def _compared(value: Any, op: str, wanted: str) -> bool:
    if value is None:
        return False
    left, right = _number(value), _number(wanted)
    a, b = (left, right) if left is not None and right is not None else (str(value), wanted)
    return {"=": a == b, "!=": a != b, ">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}[op]  # type: ignore[operator]  # both are numbers or both are text


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _stats(tokens: list[_Token], rows: list[Row]) -> tuple[list[Row], list[str]]:
    words = [token.text.lower() if token.kind == "word" else token.text for token in tokens]
    cut = words.index("by") if "by" in words else len(tokens)
    measures = [_measure(part) for part in _split(tokens[:cut])]
    groups = [_grouping(part) for part in _split(tokens[cut + 1 :])]
    gathered: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        gathered.setdefault(tuple(group(row) for _, group in groups), []).append(row)
    if not groups and not gathered:
        gathered[()] = []
    names = [name for name, _ in groups] + [name for name, _ in measures]
    results = [
        dict(zip(names, (*key, *(measure(of) for _, measure in measures)), strict=True)) for key, of in gathered.items()
    ]
    return results, names


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    """At commas outside parentheses."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "op" else 0
        if token.kind == "op" and token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _alias(part: list[_Token]) -> tuple[list[_Token], str | None]:
    if len(part) >= 3 and part[-2].text.lower() == "as":
        return part[:-2], part[-1].text
    return part, None


def _measure(part: list[_Token]) -> tuple[str, Callable[[list[Row]], Any]]:
    body, alias = _alias(part)
    function = body[0].text.lower()
    arguments = [token.text for token in body[2:-1] if token.text != ","]
    if function not in _STATS or len(body) < 3 or body[1].text != "(" or body[-1].text != ")":
        raise InsightsError(f"{' '.join(token.text for token in body)!r} is not a statistic")
    name = alias or f"{function}({', '.join(arguments)})"
    field = arguments[0] if arguments else "*"

    def numbers(rows: list[Row]) -> list[float]:
        return sorted(n for n in (_number(row.get(field)) for row in rows) if n is not None)

    def value(rows: list[Row]) -> Any:
        match function:
            case "count":
                return len(rows) if field == "*" else sum(row.get(field) is not None for row in rows)
            case "count_distinct":
                return len({str(row[field]) for row in rows if row.get(field) is not None})
            case "earliest" | "latest":
                chosen = (min if function == "earliest" else max)(rows, key=lambda r: r.get("@ms", 0), default={})
                return chosen.get(field)
        found = numbers(rows)
        if not found:
            return None
        match function:
            case "sum":
                return sum(found)
            case "avg":
                return sum(found) / len(found)
            case "min":
                return found[0]
            case "max":
                return found[-1]
        percent = _number(arguments[1]) if len(arguments) > 1 else None
        if percent is None:
            raise InsightsError("pct takes a field and a percentage")
        return found[min(len(found) - 1, max(0, math.ceil(percent / 100 * len(found)) - 1))]

    return name, value


def _grouping(part: list[_Token]) -> tuple[str, Callable[[Row], Any]]:
    body, alias = _alias(part)
    if body[0].text.lower() == "bin":
        span = _SPAN.fullmatch("".join(token.text for token in body[2:-1]))
        if not span or int(span[1]) == 0:
            raise InsightsError("bin takes a duration like 5m")
        width = int(span[1]) * _SECONDS[span[2] or "m"] * 1000
        return alias or f"bin({span[0]})", lambda row: _stamp(row["@ms"] // width * width)
    name = body[0].text
    return alias or name, lambda row: row.get(name)


def _sorted(tokens: list[_Token], rows: list[Row]) -> list[Row]:
    for part in reversed(_split(tokens)):
        if part[0].text == "@timestamp":
            field = "@ms"
        else:
            text = "".join(token.text for token in part if token.text.lower() not in ("asc", "desc"))
            field = next((name for row in rows[:1] for name in row if name.replace(" ", "") == text), part[0].text)
        descending = part[-1].text.lower() == "desc"
        rows = sorted(rows, key=lambda row, f=field: _order(row.get(f)), reverse=descending)  # type: ignore[misc]  # mypy does not type a default of a lambda
    return rows


def _order(value: Any) -> tuple[int, float, str]:
    number = _number(value)
    return (0, number, "") if number is not None else (1, 0.0, str(value or ""))


def _parse(tokens: list[_Token], rows: list[Row]) -> None:
    """`parse @message "took * ms" as ms` or `parse @message /user=(?<user>\\w+)/`."""
    if len(tokens) < 2:
        raise InsightsError("parse takes a field and a pattern")
    source, pattern = tokens[0].text, tokens[1]
    names = [token.text for token in tokens[3:] if token.kind == "word"]
    if pattern.kind == "regex":
        compiled = _pattern(_Token("regex", pattern.text.replace("(?<", "(?P<"), pattern.flags))
    else:
        compiled = re.compile("(.*?)".join(re.escape(p) for p in pattern.text.split("*")) + r"(?!\S)", re.DOTALL)
    for row in rows:
        found = compiled.search(str(row.get(source, "")))
        if found:
            row.update(found.groupdict() or zip(names, found.groups(), strict=False))


def _cells(row: Row, names: list[str]) -> list[dict[str, str]]:
    cells = [{"field": name, "value": _text(row[name])} for name in names if row.get(name) is not None]
    if "@ptr" in row:
        cells.append({"field": "@ptr", "value": str(row["@ptr"])})
    return cells


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return value if isinstance(value, str) else json.dumps(value)


def _stamp(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"

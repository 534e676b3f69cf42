"""CloudWatch Logs filter patterns: terms, `?a ?b`, `-x`, "phrases", `%regex%` and `{ $.level = "ERROR" }`."""

import json
import re
from collections.abc import Callable
from typing import Any

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')
_TOKEN = re.compile(
    r'\s*(?:(?P<op>&&|\|\||[()]|!=|>=|<=|=|>|<)|"(?P<text>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%'
    r"|(?P<name>\$(?:\.[\w@-]+|\[\"[^\"]+\"\]|\[\d+\])+)|(?P<word>[\w.*+-]+))"
)
_LONGEST = 1024


class PatternError(ValueError):
    """The pattern is not one CloudWatch Logs would take."""


def compile_pattern(pattern: str | None) -> Matches:
    """Raises `PatternError`."""
    text = (pattern or "").strip()
    if len(text) > _LONGEST:
        raise PatternError(f"the pattern is longer than {_LONGEST} characters")
    if not text:
        return lambda line: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise PatternError("a JSON pattern ends with }")
        return _Selector(text[1:-1]).compiled()
    if text.startswith("["):
        raise PatternError("space-delimited patterns are not supported here")
    return _terms(text)


def _terms(text: str) -> Matches:
    every: list[Matches] = []
    some: list[Matches] = []
    none: list[Matches] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TERM.match(text, at)
        if not found:
            raise PatternError(f"cannot read the pattern at {text[at:]!r}")
        at = found.end()
        {"?": some, "-": none, "": every}[found["sign"]].append(_term(found))
    if every:
        some = []  # as on AWS: optional terms beside required ones are ignored
    return lambda line: (
        all(each(line) for each in every)
        and (not some or any(each(line) for each in some))
        and not any(each(line) for each in none)
    )


def _term(found: re.Match[str]) -> Matches:
    if found["regex"]:
        return _regex(found["regex"])
    wanted = re.sub(r"\\(.)", r"\1", found["phrase"]) if found["phrase"] is not None else found["word"]
    return lambda line: wanted in line


def _regex(text: str) -> Matches:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise PatternError(f"the regular expression {text!r} is wrong: {error}") from error
    return lambda line: pattern.search(line) is not None


class _Selector:
    """A JSON selector: comparisons with `&&`, `||` and parentheses."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if not found or found.lastgroup is None:
                raise PatternError(f"cannot read the JSON pattern at {text[at:]!r}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()

    def compiled(self) -> Matches:
        test = self._either()
        if self._tokens:
            raise PatternError(f"{self._tokens[0][1]!r} is not expected there")

        def matches(line: str) -> bool:
            start = line.find("{")
            try:
                value = json.loads(line[start:]) if start >= 0 else None
            except ValueError:
                return False
            return isinstance(value, dict) and test(value)

        return matches

    def _either(self) -> Callable[[Any], bool]:
        sides = [self._both()]
        while self._take("op", "||"):
            sides.append(self._both())
        return lambda value: any(side(value) for side in sides)

    def _both(self) -> Callable[[Any], bool]:
        sides = [self._one()]
        while self._take("op", "&&"):
            sides.append(self._one())
        return lambda value: all(side(value) for side in sides)

    def _one(self) -> Callable[[Any], bool]:
        if self._take("op", "("):
            inner = self._either()
            if not self._take("op", ")"):
                raise PatternError("a ) is missing")
            return inner
        path = self._need("name")
        if word := self._take("word"):
            return self._existence(path, word)
        op = self._need("op")
        kind, wanted = self._tokens.pop(0) if self._tokens else ("", "")
        if kind not in ("text", "word", "regex") or op in ("&&", "||", "(", ")"):
            raise PatternError("a comparison is $.field, an operator and a value")
        steps = _steps(path)
        return lambda value: _compare(_reach(value, steps), op, wanted, kind)

    def _existence(self, path: str, word: str) -> Callable[[Any], bool]:
        following = self._take("word") or ""
        match word.upper(), following.upper():
            case "NOT", "EXISTS":
                return lambda value: _reach(value, _steps(path)) is _ABSENT
            case "IS", "TRUE" | "FALSE" | "NULL":
                wanted = {"TRUE": True, "FALSE": False, "NULL": None}[following.upper()]
                return lambda value: _reach(value, _steps(path)) is wanted
        raise PatternError(f"{word} {following} is not a test of a field")

    def _take(self, kind: str, text: str | None = None) -> str | None:
        if self._tokens and self._tokens[0][0] == kind and text in (None, self._tokens[0][1]):
            return self._tokens.pop(0)[1]
        return None

    def _need(self, kind: str) -> str:
        taken = self._take(kind)
        if taken is None:
            raise PatternError(f"expected a {'field like $.level' if kind == 'name' else 'comparison'}")
        return taken


_ABSENT = object()


def _steps(path: str) -> list[str]:
    return [a or b or c for a, b, c in re.findall(r"\.([\w@-]+)|\[\"([^\"]+)\"\]|\[(\d+)\]", path)]


def _reach(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return _ABSENT
    return value


def _compare(value: Any, op: str, wanted: str, kind: str) -> bool:
    if value is _ABSENT:
        return False
    if op in ("=", "!="):
        return _equal(value, wanted, kind) == (op == "=")
    try:
        left, right = float(value), float(wanted)
    except (TypeError, ValueError):
        return False
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[op]


def _equal(value: Any, wanted: str, kind: str) -> bool:
    if kind == "regex":
        return re.search(wanted, str(value)) is not None
    if isinstance(value, bool) or value is None:
        return json.dumps(value) == wanted.lower()
    if isinstance(value, int | float):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None

"""CloudWatch metric math over series, read with Python's own parser and walked by a short list of allowed nodes."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from itertools import pairwise

Points = dict[float, float]
"""Start of a period in epoch seconds → value."""
Value = float | Points | list[Points]

_LONGEST = 2048
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OVER_SERIES: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


class MathError(ValueError):
    """The expression is not one this can work out; the message says why."""


class Formula:
    """One expression, evaluated over named series on a common grid of periods."""

    def __init__(self, text: str, series: Mapping[str, Points], start: float, end: float, period: float) -> None:
        self._text = text
        self._series = series
        self._period = period
        first = math.floor(start / period) * period
        self._grid = [first + i * period for i in range(max(0, math.ceil((end - first) / period)))]

    def points(self) -> Points:
        """Raises `MathError`."""
        if len(self._text) > _LONGEST:
            raise MathError(f"the expression is longer than {_LONGEST} characters")
        try:
            tree = ast.parse(self._text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise MathError(f"Error in expression: {self._text!r}") from error
        result = self._value(tree.body)
        if isinstance(result, list):
            raise MathError("the expression gives an array of time series; it must give one")
        if isinstance(result, dict):
            return result
        return dict.fromkeys(self._grid, result)

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                if name not in self._series:
                    raise MathError(f"{name} is not the id of a query")
                return self._series[name]
            case ast.List(elts=elements):
                return [self._one(each) for each in elements]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _combine(operator.mul, -1.0, self._single(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _combine(_BINARY[type(op)], self._single(left), self._single(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                return _combine(_COMPARE[type(op)], self._single(left), self._single(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.upper(), arguments)
        raise MathError(f"{ast.unparse(node)!r} is not supported")

    def _single(self, node: ast.expr) -> float | Points:
        value = self._value(node)
        if isinstance(value, list):
            raise MathError("an array of time series cannot stand in arithmetic")
        return value

    def _one(self, node: ast.expr) -> Points:
        value = self._value(node)
        if not isinstance(value, dict):
            raise MathError(f"{ast.unparse(node)!r} is not a time series")
        return value

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name == "METRICS" and not arguments:
            return list(self._series.values())
        if name in _OVER_SERIES and len(arguments) == 1:
            return self._over_series(name, self._value(arguments[0]))
        if name in _EACH and len(arguments) == 1:
            value = self._single(arguments[0])
            return {t: _EACH[name](v) for t, v in value.items()} if isinstance(value, dict) else _EACH[name](value)
        if name == "FILL" and len(arguments) == 2:
            return self._fill(self._one(arguments[0]), arguments[1])
        if name == "IF" and len(arguments) == 3:
            test, yes, no = (self._single(each) for each in arguments)
            return _combine(lambda a, b: b if a else math.nan, test, yes, otherwise=no)
        if name == "PERIOD" and len(arguments) == 1:
            return self._period
        if name == "RATE" and len(arguments) == 1:
            points = sorted(self._one(arguments[0]).items())
            return {b[0]: (b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)}
        raise MathError(f"{name} with {len(arguments)} arguments is not supported")

    def _over_series(self, name: str, value: Value) -> float | Points:
        """Over an array: period by period. Over one series: one number for all of it."""
        fold = _OVER_SERIES[name]
        if isinstance(value, list):
            gathered: dict[float, list[float]] = {}
            for points in value:
                for at, number in points.items():
                    gathered.setdefault(at, []).append(number)
            return {at: fold(numbers) for at, numbers in sorted(gathered.items())}
        if isinstance(value, dict):
            return fold(list(value.values())) if value else 0.0
        return value

    def _fill(self, points: Points, filler: ast.expr) -> Points:
        if isinstance(filler, ast.Name) and filler.id == "REPEAT":
            filled: Points = {}
            last: float | None = None
            for at in self._grid:
                last = points.get(at, last)
                if last is not None:
                    filled[at] = last
            return filled
        value = self._single(filler)
        spare = value if isinstance(value, dict) else dict.fromkeys(self._grid, value)
        return {at: points[at] if at in points else spare[at] for at in self._grid if at in points or at in spare}


def _combine(
    apply: Callable[[float, float], float],
    left: float | Points,
    right: float | Points,
    otherwise: float | Points | None = None,
) -> float | Points:
    """Point by point where all have one; a division by zero or an overflow gives no point."""
    sides = [each for each in (left, right, otherwise) if isinstance(each, dict)]
    if not sides:
        number = _applied(apply, left, right, otherwise, 0.0)
        return {} if number is None else number
    times = sorted(set(sides[0]).intersection(*sides[1:]))
    computed = ((at, _applied(apply, left, right, otherwise, at)) for at in times)
    return {at: value for at, value in computed if value is not None}


def _applied(
    apply: Callable[[float, float], float],
    left: float | Points,
    right: float | Points,
    otherwise: float | Points | None,
    at: float,
) -> float | None:
    a, b, c = (each[at] if isinstance(each, dict) else each for each in (left, right, otherwise))
    assert a is not None
    assert b is not None
    try:
        value = float(apply(a, b))
    except (ZeroDivisionError, OverflowError, TypeError):
        return None
    if math.isnan(value):
        return c
    return value

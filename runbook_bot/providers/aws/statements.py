"""SQL as it may be shown: without the values in it, without comments, on one line, cut."""

import re

from runbook_bot.providers.aws.failure import one_line

_MOST = 300
_TOKEN = re.compile(
    r"""
      (?P<comment>/\*.*?(?:\*/|\Z)|--[^\n]*|\#(?![>-])[^\n]*)
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<text>[EeNnXxBb]?'(?:[^']|'')*(?:'|\Z))
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z))
    | (?P<number>(?<![\w$@:.])(?:0[xX][0-9A-Fa-f]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))
    """,
    re.DOTALL | re.VERBOSE,
)
_NAME = re.compile(r'"[A-Za-z_][\w$]{0,62}"')
_MANY = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ESCAPED = re.compile(r"\\['\"]")
_IN_A_LINE = re.compile(r"((?:STATEMENT|QUERY|statement|execute [^:]{0,80}|parse [^:]{0,80}|bind [^:]{0,80}):\s+)(.*)")
_DETAIL = re.compile(r"((?:DETAIL|CONTEXT):\s+)(.*)")
_KEY = re.compile(r"\)=\(.*?\)(?=\s|$)")
_PARAMETERS = re.compile(r"((?:parameters|Parameters): ).*")
_FAILING_ROW = re.compile(r"(Failing row contains )\(.*")


def without_values(statement: str, *, names_in_double_quotes: bool = False) -> str:
    """The statement with `?` for every value, at most 300 characters.

    names_in_double_quotes: as in PostgreSQL and Oracle; elsewhere these are values too.
    Where a quote is escaped with a backslash, engines differ about where the value ends: it is cut there.
    """
    escaped = _ESCAPED.search(statement)
    if escaped:
        begins = max(statement.rfind(quote, 0, escaped.start()) for quote in "'\"")
        statement = statement[: max(begins, 0)] + " ?…"

    def put(found: re.Match[str]) -> str:
        if found["comment"] is not None:
            return " "
        if found["quoted"] is not None and names_in_double_quotes and _NAME.fullmatch(found["quoted"]):
            return found["quoted"]
        return "?"

    return one_line(_MANY.sub("(?)", _TOKEN.sub(put, statement)), _MOST)


def log_line(line: str, *, bare: bool = False) -> str:
    """A line of a database's log, with the values of the statements and rows in it left out.

    bare: the log holds statements as they are, as MySQL's slow and general logs do.
    """
    if line[:1] in (" ", "\t") or (bare and not line.startswith("#")):
        return without_values(line)
    line = _PARAMETERS.sub(r"\1?", line)
    line = _FAILING_ROW.sub(r"\1(?)", line)
    line = _DETAIL.sub(lambda found: found[1] + _KEY.sub(")=(?)", found[2]), line)
    return _IN_A_LINE.sub(lambda found: found[1] + without_values(found[2], names_in_double_quotes=True), line, count=1)

"""SQL is shown without the values in it, whatever the engine's quotes."""

import pytest

from runbook_bot.providers.aws.statements import log_line, without_values


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (
            "SELECT * FROM users WHERE email = 'bob@example.org' AND id = 42",
            "SELECT * FROM users WHERE email = ? AND id = ?",
        ),
        (
            "select $1, orders_2024.x from orders_2024 where a=$2",
            "select $1, orders_2024.x from orders_2024 where a=$2",
        ),
        ("SELECT 1 WHERE a IN (1, 2,\n 3)", "SELECT ? WHERE a IN (?)"),
        ("SELECT 'it''s bob''s', x", "SELECT ?, x"),
        ("SELECT 'cut in the mid", "SELECT ?"),
        ("SELECT $$body 'x'$$, $tag$secret$tag$", "SELECT ?, ?"),
        ("SELECT 0xCAFE, 1.5e-3, -7", "SELECT ?, ?, -?"),
        ("SELECT a /* user=bob */ FROM t -- bob\nWHERE b = 1", "SELECT a FROM t WHERE b = ?"),
        ("SELECT E'don\\'t tell bob', secret FROM t", "SELECT E ?…"),
        ('INSERT INTO t VALUES ("bob")', "INSERT INTO t VALUES (?)"),
        ("UPDATE t SET name = N'bob', x = X'00ff'", "UPDATE t SET name = ?, x = ?"),
        ("SELECT data #>> '{a,b}' FROM t", "SELECT data #>> ? FROM t"),
    ],
)
def test_no_value_is_left(statement: str, shown: str) -> None:
    assert without_values(statement) == shown


def test_names_in_double_quotes_stay_where_the_engine_has_them() -> None:
    statement = 'SELECT "userId" FROM "Orders" WHERE "bob@example.org" = 1'
    assert without_values(statement, names_in_double_quotes=True) == 'SELECT "userId" FROM "Orders" WHERE ? = ?'


def test_a_long_one_is_cut() -> None:
    assert len(without_values("SELECT " + "a, " * 5000)) == 300


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2026-01-01 10:00:00 UTC [7] STATEMENT:  SELECT 'bob'", "2026-01-01 10:00:00 UTC [7] STATEMENT:  SELECT ?"),
        (
            "LOG:  duration: 812.4 ms  statement: UPDATE t SET a='x'",
            "LOG:  duration: 812.4 ms  statement: UPDATE t SET a=?",
        ),
        ("LOG:  execute <unnamed>: SELECT 'x'", "LOG:  execute <unnamed>: SELECT ?"),
        ("DETAIL:  Key (email)=(bob@example.org) already exists.", "DETAIL:  Key (email)=(?) already exists."),
        ("DETAIL:  Failing row contains (1, bob, x).", "DETAIL:  Failing row contains (?)"),
        ("DETAIL:  parameters: $1 = 'bob'", "DETAIL:  parameters: ?"),
        ("\t    WHERE email = 'bob'", "WHERE email = ?"),
        ("FATAL:  remaining connection slots are reserved", "FATAL:  remaining connection slots are reserved"),
    ],
)
def test_a_log_line_keeps_what_the_engine_says(line: str, shown: str) -> None:
    assert log_line(line) == shown


def test_a_log_of_bare_statements() -> None:
    assert log_line("SELECT * FROM t WHERE a = 'bob'", bare=True) == "SELECT * FROM t WHERE a = ?"
    assert log_line("# Query_time: 12.5  Rows_examined: 900", bare=True) == "# Query_time: 12.5  Rows_examined: 900"

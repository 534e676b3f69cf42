"""The log is JSON where a machine reads it, carries the investigation, and holds no secret."""

import io
import json
import logging
import warnings
from pathlib import Path

import pytest
import structlog

from runbook_bot import log

TOKEN = "xoxb-" + "1234567890-abcdefghij"


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_json_line_with_the_investigation() -> None:
    stream = io.StringIO()
    log.configure({}, stream=stream)
    with log.investigating("inv-1"):
        structlog.get_logger("runbook_bot.here").info("asked", seconds=0.2, text="two\nlines")
    structlog.get_logger("runbook_bot.here").info("outside")
    first, second = lines(stream)
    assert first["event"] == "asked"
    assert first["investigation"] == "inv-1"
    assert first["logger"] == "runbook_bot.here"
    assert str(first["timestamp"]).endswith("Z")
    assert "investigation" not in second


def test_no_secret_is_logged_wherever_it_stands() -> None:
    stream = io.StringIO()
    log.configure({}, stream=stream)
    logger = structlog.get_logger("x")
    nested = {"api_key": "abc", "list": [TOKEN]}
    logger.info(f"token {TOKEN}", password="hunter2", nested=nested, error=ValueError(TOKEN))
    try:
        int(TOKEN)
    except ValueError:
        logger.exception("failed")
    logging.getLogger("some.library").warning("Authorization: Bearer %s", "abcdefghijklmnop")
    assert len(lines(stream)) == 3
    assert "Traceback" in stream.getvalue()
    assert not any(secret in stream.getvalue() for secret in (TOKEN, "hunter2", '"abc"', "abcdefghijklmnop"))


def test_a_terminal_gets_readable_lines() -> None:
    stream = io.StringIO()
    log.configure({"LOG_FORMAT": "console"}, stream=stream)
    structlog.get_logger("x").info("hello", count=3)
    assert "hello" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_libraries_stay_quiet_and_the_level_can_be_set() -> None:
    stream = io.StringIO()
    log.configure({"LOG_LEVEL": "debug"}, stream=stream)
    logging.getLogger("slack_sdk.web").debug("payload")
    logging.getLogger("runbook_bot.x").debug("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]


def test_warnings_are_logged() -> None:
    stream = io.StringIO()
    log.configure({}, stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("deprecated", stacklevel=1)
    assert "deprecated" in stream.getvalue()


def test_a_file_appears_with_the_first_warning(tmp_path: Path) -> None:
    path = tmp_path / "home" / log.LOG_FILE
    log.configure({}, file=path)
    structlog.get_logger("x").info("nothing to see")
    assert not path.parent.exists()
    structlog.get_logger("x").warning("something")
    assert json.loads(path.read_text())["event"] == "something"


def test_a_home_that_cannot_be_made_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    log.configure({}, file=tmp_path / "file" / log.LOG_FILE)
    structlog.get_logger("x").warning("something")
    assert capsys.readouterr().err == ""

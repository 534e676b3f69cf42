"""The command line from outside: help is instant, and what goes wrong is one line and the right exit code."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_bot.cli.edge import guarded
from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Opened
from runbook_bot.domain.ports import SystemClock
from runbook_bot.errors import RunbookError, UsageError
from runbook_bot.state.journals import FileJournals
from tests.house.terminal import runbook

HEAVY = ("anthropic", "chromadb", "boto3", "slack_bolt", "docket", "moto", "numpy", "pydantic", "rich")
COMMANDS = ("serve", "worker", "demo", "investigate", "ask", "aws", "skills", "status", "init", "knowledge", "audit",
            "doctor", "config")  # fmt: skip


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from runbook_bot.__main__ import main
import runbook_bot.cli.app
assert not [name for name in {HEAVY!r} if name in sys.modules], "at import"
sys.argv = ["runbook-bot", "--help"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 0, ended.code
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"
    assert all(f"\n  {name} " in ran.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("investigate",), "say what hurts"),
        (("investigate", "x", "--nonsense"), "--nonsense"),
        (("investigat", "x"), "investigat"),
        (("investigate", "  "), "say what hurts"),
        (("investigate", "x" * 50_000), "50,000 characters"),
        (("investigate", "x", "--service", " "), "--service"),
        (("investigate", "x", "--reasoner", "oracle"), "oracle"),
        (("investigate", "x", "--at", "yesterday-ish"), "--at"),
        (("investigate", "x", "--since", "1h", "--until", "2h"), "--since"),
        (("investigate", "x", "--until", "1h"), "--until"),
        (("demo", "--port", "70000"), "--port"),
        (("config", "get", "agent.max_iteration"), "did you mean agent.max_iterations?"),
        (("config", "set", "agent.max_iterations", "many"), "agent.max_iterations"),
        (("config", "set", "llm.model", "x"), "llm.model is not supported by this version"),
    ],
)
def test_wrong_words_are_named_with_exit_code_two(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    ran = runbook(*words, home=tmp_path)
    assert ran.returncode == 2
    assert named in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


def test_wrong_configuration_is_one_line_with_exit_code_two(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("agent:\n  max_depth: [\n")
    ran = runbook("status", home=tmp_path)
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1
    assert "config.yaml, line 3, column 1" in ran.stderr


def test_a_journal_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    kept = FileJournals(tmp_path / "scratchpad", SystemClock())
    kept.create("inv-good", Opened(request=Request(text="checkout is slow"), reasoner="catalogue"))
    (tmp_path / "scratchpad" / "inv-folder.jsonl").mkdir()
    listed = runbook("status", "--json", home=tmp_path)
    assert (listed.returncode, [each["id"] for each in json.loads(listed.stdout)]) == (0, ["inv-good"])
    assert listed.stderr.startswith("runbook-bot: left out: ")
    assert len(listed.stderr.splitlines()) == 1
    verified = runbook("audit", "verify", home=tmp_path)
    assert verified.returncode == 1
    assert "inv-folder.jsonl: cannot be read: Is a directory" in verified.stdout
    assert verified.stderr == "runbook-bot: 1 fault in the audit and 2 journals\n"


def test_a_fresh_home_has_no_investigations(tmp_path: Path) -> None:
    ran = runbook("status", "--json", home=tmp_path / "new")
    assert (ran.returncode, json.loads(ran.stdout), ran.stderr) == (0, [], "")


def test_a_key_is_set_shown_and_its_comment_kept(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("# ours\nagent:\n  max_iterations: 7 # enough\n")
    assert runbook("config", "set", "agent.max_iterations", "5", home=tmp_path).returncode == 0
    assert config.read_text() == "# ours\nagent:\n  max_iterations: 5 # enough\n"
    assert runbook("config", "get", "agent.max_iterations", home=tmp_path).stdout == "5\n"
    assert json.loads(runbook("config", "get", "agent", "--json", home=tmp_path).stdout)["max_iterations"] == 5


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    token = "xoxb-" + "1234567890-abcdefghij"
    ran = runbook("config", "get", home=tmp_path, environ={"SLACK_BOT_TOKEN": token})
    assert ran.returncode == 0
    assert token not in ran.stdout + ran.stderr
    assert "bot_token: '**********'" in ran.stdout


def test_scenarios_are_listed_as_json(tmp_path: Path) -> None:
    ran = runbook("demo", "--list", "--json", home=tmp_path)
    assert ran.returncode == 0
    assert "bad-deployment" in json.loads(ran.stdout)


def test_an_unknown_scenario_is_named(tmp_path: Path) -> None:
    ran = runbook("demo", "--headless", "--scenario", "bad-deploymnt", home=tmp_path)
    assert ran.returncode == 2
    assert "did you mean bad-deployment?" in ran.stderr


def test_without_a_system_to_ask_there_is_no_investigation(tmp_path: Path) -> None:
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    ran = runbook("investigate", "web is slow", "--json", home=tmp_path, environ=nowhere)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "AWS_PROFILE" in ran.stderr
    assert not (tmp_path / "scratchpad").exists()


def test_a_changed_audit_fails_the_check(tmp_path: Path) -> None:
    assert runbook("audit", "verify", home=tmp_path).returncode == 0
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "approvals.jsonl").write_text('{"seq": 1}\n')
    ran = runbook("audit", "verify", "--json", home=tmp_path)
    assert ran.returncode == 1
    assert "approvals.jsonl:1" in json.loads(ran.stdout)[0]
    assert len(ran.stderr.splitlines()) == 1


def test_what_nobody_foresaw_is_one_line_and_a_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNBOOK_HOME", str(tmp_path))
    assert guarded(lambda: 1 / 0) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    reference = said.split()[-1]
    logged = json.loads((tmp_path / "runbook.log").read_text())
    assert logged["reference"] == reference
    assert "ZeroDivisionError" in logged["exception"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("x"), 2), (RunbookError("x"), 1), (KeyboardInterrupt(), 130), (asyncio.CancelledError(), 143)],
)
def test_each_end_has_its_exit_code(error: BaseException, code: int) -> None:
    def fails() -> None:
        raise error

    assert guarded(fails) == code

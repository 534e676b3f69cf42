"""The command line from outside: help is instant, and what goes wrong is one line and the right exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("anthropic", "chromadb", "boto3", "slack_bolt", "docket", "moto", "numpy", "pydantic", "rich")
COMMANDS = ("serve", "worker", "demo", "investigate", "status", "knowledge", "audit", "doctor", "config")


def runbook(
    *words: str, home: Path, stdin: str = "", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_", "REDIS_"))}
    return subprocess.run(
        [sys.executable, "-m", "runbook_bot", *words],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=60,
        check=False,
        env={**kept, "RUNBOOK_HOME": str(home), **(environ or {})},
    )


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
        (("investigate",), "TEXT"),
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


def test_a_fresh_home_has_no_investigations(tmp_path: Path) -> None:
    ran = runbook("status", "--json", home=tmp_path / "new")
    assert (ran.returncode, json.loads(ran.stdout), ran.stderr) == (0, [], "")


def test_a_key_is_set_shown_and_its_comment_kept(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("# ours\nagent:\n  max_iterations: 7 # enough\n")
    assert runbook("config", "set", "agent.max_iterations", "5", home=tmp_path).returncode == 0
    assert config.read_text() == "# ours\nagent:\n  max_iterations: 5 # enough\n"
    assert runbook("config", "get", "agent.max_iterations", home=tmp_path).stdout == "5\n"


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

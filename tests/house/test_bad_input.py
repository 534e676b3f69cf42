"""Bad input, tried through the front door: one clear line each, the right exit code, and nothing lost."""

import asyncio
import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_bot.playground.slack import LoopbackSlack, Workspace
from tests.house.denying import denying
from tests.house.terminal import runbook

BOT, APP = {"SLACK_BOT_TOKEN": "xoxb-" + "1-a"}, {"SLACK_APP_TOKEN": "xapp-" + "1-a"}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "us-east-1"}
SERVICES = """\
services:
  - name: checkout-api
    resources:
      - {type: ecs_service, cluster: prod, name: checkout-api}
      - {type: log_group, name: /ecs/checkout-api}
"""
ENDLESS = "checkout is slow. " * 560
STRANGE = "Zahlung läuft nicht 🔥 \x1b[2J\x1b]0;owned\x07\u202e支払い\ud83d\x85 checkout-api"


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    assert line.startswith("runbook-bot: ")
    return line


@pytest.fixture
def denied() -> Iterator[dict[str, str]]:
    """The environment of somebody whose credentials are good, and allowed nothing."""
    with denying() as url:
        yield {**KEYS, "AWS_ENDPOINT_URL": url}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("agentt: {}\n", "config.yaml:1: agentt is not a known key; did you mean agent?"),
        ("agent:\n  max_iterations: [1\n", "config.yaml, line 3, column 1"),
        ("agent:\n\tmax_iterations: 1\n", "config.yaml, line 2, column 1"),
        ("agent: {max_iterations: many}\n", "config.yaml:1: agent.max_iterations"),
    ],
)
@pytest.mark.parametrize("command", ["status", "serve"])
def test_wrong_configuration(command: str, config: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(config)
    ran = runbook(command, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in one_line(ran.stderr)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "SLACK_BOT_TOKEN (or incident.slack.bot_token) is not set"),
        (BOT, "SLACK_APP_TOKEN (or incident.slack.app_token) is not set"),
        ({**APP, "SLACK_BOT_TOKEN": APP["SLACK_APP_TOKEN"]}, "which belongs in SLACK_APP_TOKEN"),
        ({**BOT, "SLACK_APP_TOKEN": BOT["SLACK_BOT_TOKEN"]}, "which belongs in SLACK_BOT_TOKEN"),
        ({**APP, "SLACK_BOT_TOKEN": "xoxp-" + "1-a"}, "SLACK_BOT_TOKEN must begin with xoxb-"),
        ({**BOT, **APP, "SLACK_API_URL": "slack.example"}, "SLACK_API_URL must be an address"),
    ],
)
def test_tokens_that_are_missing_or_of_the_wrong_kind(environ: dict[str, str], told: str, tmp_path: Path) -> None:
    ran = runbook("serve", home=tmp_path, environ=environ)
    assert ran.returncode == 2
    assert told in one_line(ran.stderr)
    assert "1-a" not in ran.stderr


async def test_a_token_that_slack_does_not_know(tmp_path: Path) -> None:
    async with LoopbackSlack(Workspace.demo()) as slack:
        environ = {**BOT, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.api_url}
        ran = await asyncio.to_thread(runbook, "serve", home=tmp_path, environ=environ)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1] == "runbook-bot: Slack does not accept SLACK_BOT_TOKEN: invalid_auth"


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = runbook("demo", "--port", str(port), home=tmp_path)
    assert ran.returncode == 2
    assert f"cannot listen on port {port}: Address already in use; choose another with --port" in one_line(ran.stderr)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "no AWS credentials were found: set AWS_PROFILE"),
        ({**KEYS, "AWS_ENDPOINT_URL": "localhost"}, "AWS_ENDPOINT_URL is no address"),
        ({**KEYS, "AWS_REGION": "us east 1"}, "AWS_REGION: 'us east 1' is no region of AWS; one reads us-east-1"),
    ],
)
@pytest.mark.parametrize(
    "words", [("investigate", "web is slow"), ("aws", "expiring certificates"), ("skills", "run", "security-audit")]
)
def test_without_usable_credentials_nothing_is_begun(
    words: tuple[str, ...], environ: dict[str, str], told: str, tmp_path: Path
) -> None:
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_CONFIG_FILE": str(tmp_path / "none")}
    ran = runbook(*words, home=tmp_path, environ={**nowhere, **environ})
    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in one_line(ran.stderr)
    assert not (tmp_path / "scratchpad").exists()


def test_where_everything_is_denied_the_verdict_names_the_permissions(denied: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(SERVICES)
    ran = runbook("investigate", "checkout-api is slow", "--json", home=tmp_path, environ=denied)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert (result["status"], result["root_cause"]) == ("inconclusive", None)
    assert {each["direction"] for each in result["evidence"]} <= {"unknown"}
    assert "denied" in {each["status"] for each in result["evidence"]}
    told = json.dumps(result) + ran.stderr
    for permission in ("ecs:DescribeServices", "logs:FilterLogEvents", "cloudwatch:GetMetricData"):
        assert f"access denied: {permission} is not allowed to these credentials" in told


def test_doctor_names_a_missing_permission(denied: dict[str, str], tmp_path: Path) -> None:
    for _ in range(6):  # a machine with much else to do may be later than doctor waits
        ran = runbook("doctor", home=tmp_path, environ=denied)
        if "did not answer within" not in ran.stdout:
            break
    assert ran.returncode == 1
    assert "→ allow sts:GetCallerIdentity to the role that Runbook reads with" in ran.stdout
    assert one_line(ran.stderr)


def test_documents_that_cannot_be_read_are_named_and_the_others_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "latin.md").write_bytes("# Café\n".encode("latin-1"))
    (folder / "picture.md").write_bytes(os.urandom(200) + b"\0")
    (folder / "gone.md").symlink_to(folder / "nothing")
    (folder / "good.md").write_text("# Pool exhausted\n\n## Steps\n\n1. Restart the client that holds them.\n")
    checked = runbook("knowledge", "validate", "--json", home=tmp_path)
    assert checked.returncode == 1
    assert {each["file"] for each in json.loads(checked.stdout)} == {"latin.md", "picture.md", "gone.md"}
    assert one_line(checked.stderr)
    synced = runbook("knowledge", "sync", home=tmp_path)
    assert synced.returncode == 0
    assert "latin.md:1: not UTF-8 text (byte 5), left out" in synced.stdout
    found = runbook("knowledge", "search", "pool exhausted", "--json", home=tmp_path)
    assert [each["document"] for each in json.loads(found.stdout)] == ["good.md"]


def test_a_document_on_the_input_that_is_no_text(tmp_path: Path) -> None:
    ran = runbook("knowledge", "add", "-", "--title", "x", home=tmp_path, stdin=b"# caf\xe9")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "not UTF-8 text (byte 5)" in one_line(ran.stderr)
    assert not (tmp_path / "runbooks").exists()


def test_a_chroma_of_another_version_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "good.md").write_text("# Pool exhausted\n\n1. Restart the client that holds them.\n")
    assert runbook("knowledge", "sync", home=tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "chroma" / "chroma.sqlite3") as other:
        other.execute("update migrations set hash = 'another version'")
    other.close()
    ran = runbook("knowledge", "search", "pool exhausted", home=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Pool exhausted" in ran.stdout
    synced = runbook("knowledge", "sync", "--json", home=tmp_path)
    assert synced.returncode == 0
    assert json.loads(synced.stdout)["documents"] == 1
    assert list(tmp_path.glob("chroma.unreadable-*"))


@pytest.mark.parametrize("text", [ENDLESS, STRANGE], ids=["10,000 characters", "strange characters"])
def test_any_text_is_kept_whole_and_shown_harmlessly(text: str, denied: dict[str, str], tmp_path: Path) -> None:
    ran = runbook("investigate", "-", home=tmp_path, stdin=text, environ=denied)
    assert ran.returncode == 0, ran.stderr
    shown = ran.stdout + ran.stderr
    assert not {"\x1b", "\x07", "\u202e", "\x85"} & set(shown)
    assert max(map(len, shown.splitlines())) < 1000
    listed = runbook("status", home=tmp_path)
    assert not {"\x1b", "\x07", "\u202e"} & set(listed.stdout)
    (journal,) = (tmp_path / "scratchpad").glob("inv-*.jsonl")
    opened = json.loads(journal.read_bytes().split(b"\n")[0])
    assert opened["body"]["request"]["text"] == text.encode("utf-8", "surrogatepass").decode(errors="replace").strip()


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x07"])
def test_a_text_that_says_nothing(text: str, tmp_path: Path) -> None:
    ran = runbook("investigate", "-", home=tmp_path, stdin=text, environ=KEYS)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "say what hurts" in one_line(ran.stderr)

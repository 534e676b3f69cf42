"""`ask` and `aws` from outside: a mistake is one line, every question is documented, what is not seen is said."""

import json
from pathlib import Path

import pytest

from runbook_bot.providers.aws.operations.register import operations
from tests.house.terminal import runbook

AWAY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "us-east-1"}  # fmt: skip
"""Nobody listens there."""


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("ask", " "), "say what you want to know"),
        (("ask", "what", "is", "running", "--nonsense"), "--nonsense"),
        (("aws",), "runbook-bot aws --list"),
        (("aws", "ecs.stoped_tasks"), "did you mean ecs.stopped_tasks"),
        (("aws", "ecs.stopped_tasks", "--nonsense", "1"), "it takes --cluster, --name"),
        (("aws", "ecs.stopped_tasks", "prod"), "write --NAME prod"),
        (("aws", "ecs.stopped_tasks", "--cluster"), "--cluster needs a value"),
        (("aws", "ecs.stopped_tasks", "--since", "1h"), "knows no window of time"),
        (("aws", "ecs.stopped_tasks", "--since", "soon"), "--since"),
        (("aws", "ecs.stopped_tasks"), "AWS is not switched on"),
        (("aws", "stopped", "tasks"), "AWS is not switched on"),
    ],
)
def test_wrong_words_are_named_with_exit_code_two(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    ran = runbook(*words, home=tmp_path, environ={"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")})
    assert ran.returncode == 2
    assert named in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


def test_every_question_to_aws_is_documented_with_its_arguments_and_permissions(tmp_path: Path) -> None:
    ran = runbook("aws", "--list", "--json", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    listed = {each["kind"]: each for each in json.loads(ran.stdout)}
    assert listed.keys() == {each.kind for each in operations()}
    for operation in operations():
        entry = listed[operation.kind]
        assert entry["what"]
        assert entry["permissions"] == list(operation.permissions())
        assert entry["arguments"].keys() == operation.model_fields.keys()
        assert all(argument["text"] for argument in entry["arguments"].values())


def test_the_list_can_be_narrowed_and_is_read_by_people(tmp_path: Path) -> None:
    ran = runbook("aws", "--list", "stopped", "tasks", home=tmp_path)
    assert "aws.ecs.stopped_tasks\n" in ran.stdout
    assert "--cluster" in ran.stdout
    assert "needs: ecs:ListTasks, ecs:DescribeTasks" in ran.stdout
    assert "aws.sqs" not in ran.stdout


def test_without_anybody_to_ask_what_is_written_is_still_known(tmp_path: Path) -> None:
    written = "services:\n  - {name: cart, owner: shop, depends_on: [ledger]}\n  - name: ledger\n"
    (tmp_path / "services.yaml").write_text(written)
    none = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    owner = runbook("ask", "who", "owns", "cart?", home=tmp_path, environ=none)
    assert (owner.returncode, owner.stdout.splitlines()[0]) == (0, "cart belongs to shop.")
    assert "no system is connected" in owner.stdout
    running = runbook("ask", "what's running?", home=tmp_path, environ=none)
    assert running.returncode == 1
    assert "nothing could be seen" in running.stderr


def test_a_cloud_that_is_away_is_said_to_be_and_fails_the_command(tmp_path: Path) -> None:
    ran = runbook("ask", "--json", "what is in alarm?", home=tmp_path, environ=AWAY)
    answer = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert answer["intent"] == "alarms"
    assert "cannot be reached" in str(answer["unseen"])
    assert len(ran.stderr.splitlines()) == 1


def test_a_skill_that_could_see_nothing_fails(tmp_path: Path) -> None:
    ran = runbook("skills", "run", "security-audit", "--json", home=tmp_path, environ=AWAY)
    assert len(json.loads(ran.stdout)["steps"]) == 6
    assert ran.returncode == 1
    assert "nothing could be seen: s3 buckets in us-east-1: AWS cannot be reached" in ran.stderr


def test_a_region_that_is_none_is_said_in_the_answer(tmp_path: Path) -> None:
    ran = runbook("ask", "what is in alarm?", home=tmp_path, environ={**AWAY, "AWS_REGION": "mars-north-1"})
    assert ran.returncode == 1
    assert "The alarms could not be read." in ran.stdout
    assert "unforeseen" not in ran.stderr


def test_a_question_that_nobody_understands_says_what_can_be_asked(tmp_path: Path) -> None:
    ran = runbook("ask", "please make coffee", home=tmp_path, environ=AWAY)
    assert ran.returncode == 0
    assert "“what changed in SERVICE since 10:00”" in ran.stdout


def test_a_question_about_an_investigation_names_it(tmp_path: Path) -> None:
    ran = runbook("ask", "why was H2 pruned in inv-ffffffffff", home=tmp_path, environ=AWAY)
    assert ran.returncode == 1
    assert "inv-ffffffffff" in ran.stderr

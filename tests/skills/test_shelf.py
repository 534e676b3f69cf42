"""Finding skills: what a folder has to say, what is said where it does not, and whose wins."""

from pathlib import Path

import pytest

from runbook_bot.errors import UsageError
from runbook_bot.skills.shelf import LARGEST, core, read, shelf

HEAD = "---\nname: {name}\ndescription: {description}\n{more}---\nDo it with care.\n"
ARGUMENT = "arguments:\n  - {name: service, description: its name, required: true}\n"


def skill(folder: Path, name: str, description: str = "says what it does", more: str = "", steps: str = "") -> Path:
    at = folder / name
    at.mkdir(parents=True)
    (at / "SKILL.md").write_text(HEAD.format(name=name, description=description, more=more), "utf-8")
    if steps:
        (at / "steps.yaml").write_text(steps, "utf-8")
    return at / "SKILL.md"


def test_the_skills_that_come_with_the_program_are_all_right() -> None:
    found = shelf([core()])
    assert not found.warnings
    assert {each.name for each in found.skills} >= {"investigate-incident", "troubleshoot-service"}
    for each in found.skills:
        assert each.steps, each.name
        assert each.body, each.name


def test_a_later_folder_wins_by_name_and_this_is_said(tmp_path: Path) -> None:
    skill(tmp_path / "ours", "deploy", "the program's")
    mine = skill(tmp_path / "theirs", "deploy", "the team's")
    found = shelf([tmp_path / "ours", tmp_path / "theirs", tmp_path / "absent"])
    assert [each.description for each in found.skills] == ["the team's"]
    assert found.warnings == (f"{mine} takes the place of {tmp_path / 'ours' / 'deploy' / 'SKILL.md'}",)


def test_a_broken_skill_is_a_warning_and_the_others_are_there(tmp_path: Path) -> None:
    skill(tmp_path, "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "SKILL.md").write_text("no head", "utf-8")
    found = shelf([tmp_path])
    assert [each.name for each in found.skills] == ["good"]
    assert len(found.warnings) == 1
    assert "has to begin with a head" in found.warnings[0]


@pytest.mark.parametrize(
    ("more", "steps", "said"),
    [
        ("colour: red\n", "", "'colour' is no key of a skill"),
        ("arguments: [{name: Bad Name, description: x}]\n", "", "arguments.0.name"),
        ("arguments: [{name: a, description: x, type: date}]\n", "", "arguments.0.type"),
        ("", "- {title: look}\n", "one of query, ask, investigate"),
        ("", "- {title: look, ask: what, investigate: that}\n", "one of query, ask, investigate"),
        ("", "- {title: look, ask: 'what of {service}'}\n", "mentions service, which is no argument"),
        ("allowed-tools: aws.ecs.services\n", "- {title: x, query: aws.iam.users}\n", "allowed-tools does not list"),
        ("", "title: look\n", "a list of steps"),
        ("", "- {title: look\n", "no YAML"),
        ("description: [\n", "", "line 4"),
        ("metadata: {since: 2026-13-45}\n", "", "no YAML: month must be in 1..12"),
        ("", f"- {'[' * 2000}", "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, more: str, steps: str, said: str) -> None:
    file = skill(tmp_path, "mine", more=more, steps=steps)
    with pytest.raises(UsageError) as refused:
        read(file)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe---", b"x" * (LARGEST + 1), b"", b"---\n- a\n---\n", b"---\nname: other\n---\n"]
)
def test_no_file_can_do_worse_than_be_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "mine" / "SKILL.md"
    file.parent.mkdir()
    file.write_bytes(raw)
    with pytest.raises(UsageError):
        read(file)


def test_a_skill_that_is_not_there_gets_the_nearest_name(tmp_path: Path) -> None:
    skill(tmp_path, "deploy-service")
    with pytest.raises(UsageError, match="did you mean deploy-service"):
        shelf([tmp_path]).skill("deploy-servce")


def test_arguments_are_typed_and_checked(tmp_path: Path) -> None:
    more = (
        "arguments:\n  - {name: service, description: its name, required: true}\n"
        "  - {name: days, description: how far back, type: integer, default: 7}\n"
        "  - {name: dry, description: only look, type: yes_or_no}\n"
    )
    mine = read(skill(tmp_path, "mine", more=more))
    assert mine.told({"service": "cart", "dry": "Yes"}) == {"service": "cart", "days": 7, "dry": True}
    for given, said in [
        ({}, "needs service"),
        ({"service": " "}, "needs service"),
        ({"service": "a", "days": "soon"}, "days has to be an integer"),
        ({"service": "a", "dry": "perhaps"}, "a yes or no"),
        ({"service": "a", "colour": "red"}, "does not take 'colour'"),
        ({"service": "a" * 3000}, "2,000 is the most"),
    ]:
        with pytest.raises(UsageError, match=said):
            mine.told(given)


def test_arguments_take_their_places_in_a_step(tmp_path: Path) -> None:
    steps = "- {title: look, query: aws.x.y, with: {name: '{service}', note: 'for {service}', most: '{days}'}}\n"
    more = ARGUMENT + "  - {name: days, description: how far back, type: integer}\n"
    step = read(skill(tmp_path, "mine", more=more, steps=steps)).steps[0]
    assert step.filled_arguments({"service": "{days}", "days": 3}) == {
        "name": "{days}",
        "note": "for {days}",
        "most": 3,
    }
    assert step.filled_arguments({"service": "cart"}) == {"name": "cart", "note": "for cart"}

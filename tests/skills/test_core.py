"""The skills that come with the program can be carried out: what they ask exists and takes what they give."""

from pathlib import Path

import pytest

from runbook_bot.errors import UsageError
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.skills.running import ready
from runbook_bot.skills.shelf import core, shelf
from runbook_bot.skills.skill import Skill

GIVEN = {"text": "checkout is slow", "service": "checkout-api"}


@pytest.mark.parametrize("skill", shelf([core()]).skills, ids=lambda skill: skill.name)
def test_every_question_of_a_skill_can_be_asked(skill: Skill) -> None:
    values = skill.told({each.name: GIVEN[each.name] for each in skill.arguments if each.required})
    for step, query in ready(skill, values, operations()):
        assert bool(step.query) == (query is not None), step.title


def test_every_skill_is_installed_with_the_program() -> None:
    listed = Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8")
    for skill in shelf([core()]).skills:
        for file in sorted(skill.folder.rglob("*")):
            assert file.is_file()
        assert f'"share/runbook-bot/skills/{skill.name}" = ["skills/{skill.name}/*"]' in listed


def test_a_skill_without_steps_is_read_and_not_run(tmp_path: Path) -> None:
    mine = Skill(name="mine", description="x", folder=tmp_path)
    with pytest.raises(UsageError, match="can be read, and not run"):
        ready(mine, {}, operations())


def test_an_argument_that_the_question_does_not_take_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    step = {"title": "look", "query": "aws.ec2.instances", "with": {"colour": "red"}}
    mine = Skill.model_validate({"name": "mine", "description": "x", "folder": tmp_path, "steps": [step]})
    with pytest.raises(UsageError, match=r"mine, step 'look': aws\.ec2\.instances: colour"):
        ready(mine, {}, operations())

"""Questions about the infrastructure and the team's knowledge: in a command, a mention or a direct message."""

import re

from runbook_bot.domain.investigation import Investigation
from runbook_bot.slack import words
from runbook_bot.slack.answers import Answer, plain
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.looking import looking
from runbook_bot.slack.questions import case_of
from runbook_bot.slack.spoken import hypothesis
from runbook_bot.slack.verbs import Ask
from runbook_bot.slack.views import answers as told
from runbook_bot.slack.views.asked import asked
from runbook_bot.slack.views.head import in_short

_QUESTION = re.compile(
    r"(?:what|who|whose|which|why|how|when|where|is|are|was|were|does|do|did|has|have|can|show|list|tell|give|"
    r"status of|logs? of|metrics? of|any)\b",
    re.IGNORECASE,
)


def question(text: str) -> bool:
    """Whether somebody wants to know something."""
    return text.rstrip().endswith("?") or _QUESTION.match(text.lstrip()) is not None


async def ask(desk: Desk, ask: Ask) -> Answer:
    """`/runbook ask …`; in an investigation's thread, or where a hypothesis is named, about that investigation."""
    if not any(char.isalnum() for char in ask.words):
        return plain(words.ASK_HOW)
    case = ask.case
    if case is None and hypothesis(ask.words):
        found = await case_of(desk, ask)
        if isinstance(found, str):
            return plain(found)
        case = found
    async with looking(desk.answers, ask.delivery):
        answer = await desk.asker.ask(ask.words, case=case, requester=ask.delivery.user)
    if case is not None and answer.intent == "unknown":
        return about(case, ask.words)
    return Answer(*asked(answer), private=ask.delivery.kind == "command")


def about(case: Investigation, text: str) -> Answer:
    """What can be said about an investigation without a model: a hypothesis that was named, or where it stands."""
    named = case.hypotheses.get(hypothesis(text))
    if named is not None:
        return Answer(*told.why(case, named), private=False)
    state = words.IN_SHORT.format(state=in_short(case))
    return plain(f"{state}\n{words.HERE_IS_WHAT_I_CAN}", private=False)

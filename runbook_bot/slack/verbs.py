"""What one can ask for, as one table: help, parsing and did-you-mean are made from it."""

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runbook_bot.domain.investigation import Investigation
from runbook_bot.slack import words
from runbook_bot.slack.answers import Answer, plain
from runbook_bot.slack.blocks import header, section
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.escaping import mrkdwn


@dataclass(frozen=True)
class Ask:
    """A verb on its way: who asked, where, in which words, and in the thread of which investigation."""

    delivery: Delivery
    words: str
    """What followed the verb, plain."""
    case: Investigation | None = None


Carry = Callable[[Desk, Ask], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Verb:
    name: str
    usage: str
    what: str
    carry: Carry


NOT_YET = ("deploy", "scale", "skill")


def split(text: str) -> tuple[str, str]:
    """The first word, lower case and without punctuation, and the rest."""
    first, _, rest = text.strip().partition(" ") if " " in text.strip() else text.strip().partition("\n")
    if "\n" in first:
        first, _, more = first.partition("\n")
        rest = f"{more} {rest}"
    return first.casefold().strip(".,:;!?\"'`"), rest.strip()


def help_text(verbs: dict[str, Verb]) -> Answer:
    lines = [f"• `/runbook {verb.usage}` {verb.what}" for verb in verbs.values()]
    said = "; ".join(f"{verb.usage}: {verb.what}" for verb in verbs.values())
    blocks = (
        header("What I can do"),
        section("\n".join(lines)),
        section("In a thread, where slash commands do not work, mention me with the same words: `@runbook why H2`."),
    )
    return Answer(f"What I can do. {said}", blocks)


def guess(word: str, verbs: dict[str, Verb]) -> str:
    """The verb that was probably meant, or ""."""
    return next(iter(difflib.get_close_matches(word, [*verbs, *NOT_YET], n=1, cutoff=0.6)), "")


def unknown(text: str, verbs: dict[str, Verb]) -> Answer:
    """For words that are no verb."""
    word, rest = split(text)
    near = guess(word, verbs)
    if word in NOT_YET:
        return plain(words.NOT_YET.format(verb=word))
    if near or not rest:
        said = words.UNKNOWN_VERB if near else words.UNKNOWN_WORD
        return plain(said.format(word=mrkdwn(word, 60).replace("`", ""), guess=near))
    shown = mrkdwn(text, 120).replace("`", "")
    return plain(words.NO_VERB.format(text=shown, guess="investigate"))

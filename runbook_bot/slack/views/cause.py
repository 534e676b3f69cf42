"""The root cause in one short sentence, and apart from it what it rests on."""

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.verdict import RootCause


def in_a_sentence(case: Investigation, cause: RootCause) -> tuple[str, str]:
    """`A new version of checkout-api brought the fault`, and the finding that carries it ("" where none is told).

    A statement opens with that of a hypothesis; whatever follows is the finding.
    """
    said = cause.statement.strip()
    opening = max(
        (h.statement for h in case.hypotheses.values() if said.casefold().startswith(f"{h.statement.casefold()}:")),
        key=len,
        default="",
    )
    if not opening:
        return said.rstrip("."), ""
    return said[: len(opening)].rstrip("."), said[len(opening) + 1 :].strip().rstrip(".")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]

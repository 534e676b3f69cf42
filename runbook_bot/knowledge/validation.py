"""What is wrong with the documents of the team, file by file and line by line."""

from collections.abc import Iterable

from runbook_bot.knowledge.document import Problem
from runbook_bot.knowledge.filesystem import look
from runbook_bot.knowledge.intake import Root
from runbook_bot.knowledge.reading import read


def validate(roots: Iterable[Root]) -> list[Problem]:
    """Every problem of every document, in the order of the files."""
    found: list[Problem] = []
    for root in roots:
        listing = look(root.path, expected=root.named)
        found += listing.problems
        for name in listing.stamps:
            try:
                document = read(name, listing.open(name))
            except OSError as error:
                found.append(Problem(name, 1, f"cannot be read: {error.strerror}"))
                continue
            found += [document] if isinstance(document, Problem) else document.problems
    return found

"""What a synchronisation did, in numbers and in words."""

from dataclasses import dataclass

from runbook_bot.knowledge.document import Problem


@dataclass(frozen=True)
class SyncReport:
    documents: int = 0
    passages: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    problems: tuple[Problem, ...] = ()
    """Of the files that were read this time, and of those that could not be."""
    notes: tuple[str, ...] = ()
    """What people should know besides, one line each."""
    keywords_only: str = ""
    """Why there are no vectors, where there are none: the search then goes by keywords alone."""
    seconds: float = 0.0

    @property
    def summary(self) -> str:
        moved = ", ".join(
            f"{count} {word}"
            for count, word in ((self.added, "new"), (self.changed, "changed"), (self.removed, "removed"))
            if count
        )
        counted = f"{_count(self.documents, 'document')}, {_count(self.passages, 'passage')}"
        return f"{counted} ({moved or 'nothing new'}; {self.seconds:.2f} s)"

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything, one line each."""
        alone = (f"searching by keywords only: {self.keywords_only}",) if self.keywords_only else ()
        return (self.summary, *self.notes, *alone, *map(str, self.problems))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"

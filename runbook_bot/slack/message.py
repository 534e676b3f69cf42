"""A message that should be seen: named, addressed and complete."""

from dataclasses import dataclass

from runbook_bot.domain.noun import Json, digest


@dataclass(frozen=True)
class Message:
    """`key` names it within its investigation. `text` alone must tell the story: screen readers read nothing else."""

    key: str
    channel: str
    thread: str | None
    text: str
    blocks: tuple[Json, ...] = ()
    metadata: Json | None = None
    broadcast: bool = False
    to: str | None = None
    """A user id makes it ephemeral: shown to that person only, and never edited."""
    final: bool = False
    """Final states go before progress."""

    @property
    def digest(self) -> str:
        """What can change by an edit."""
        return digest([self.text, list(self.blocks), self.metadata])


def plainer(blocks: tuple[Json, ...]) -> tuple[Json, ...]:
    """The same without the kinds that Slack is still rolling out; the text says their numbers as well."""
    young = ("data_visualization", "plan", "table", "data_table", "card", "container")
    return tuple(block for block in blocks if block.get("type") not in young)

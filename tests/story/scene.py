"""What people see and do in the incident channel, and what a test may look at behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.ports import SystemClock
from runbook_bot.playground.box import Box
from runbook_bot.playground.slack.acting import COMMAND_FAILURES
from runbook_bot.playground.slack.interactions import NOT_CONNECTED
from runbook_bot.state.journals import FileJournals

ROSA, AMIR, BEA, GIL, BEN = "U0ROSA", "U0AMIR", "U0BEA", "U0GIL", "U0BEN"
"""On call; two who may approve; a guest; a bystander."""
CHANNEL = "C0INCIDENTS"
HEAD, HYPOTHESIS, CARD, OTHER = "runbook_investigation", "runbook_hypothesis", "runbook_approval", "runbook_message"
PATIENCE = 90.0
VERDICT_WITHIN = 120.0
"""Seconds, far beyond what it takes: a busy machine is no reason to fail, and posts go out one a second."""
RECOVERY_WITHIN = 420.0
ACKNOWLEDGED_WITHIN = 15.0
"""Slack's own three seconds are held against a bare app in the benchmarks; here many programs share the machine."""

UNCONNECTED = (COMMAND_FAILURES["connection_failed"], NOT_CONNECTED)
"""What a person is told where no connection of the bot took it: on a very busy machine one is lost and made anew."""

Message = dict[str, Any]
T = TypeVar("T")


def payload(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = message["metadata"]["event_payload"]
    return found


def kind(message: Message) -> str:
    return str((message.get("metadata") or {}).get("event_type", ""))


def words(message: Message) -> str:
    """Everything a person reads in it."""
    return str(message.get("text", "")) + "\n" + str(message.get("blocks", ""))


@dataclass(frozen=True)
class Case:
    """One investigation, by its head message."""

    scene: "Scene"
    ts: str
    id: str

    @property
    def head(self) -> Message:
        return next(m for m in self.scene.messages() if m["ts"] == self.ts)

    @property
    def status(self) -> str:
        return str(payload(self.head)["status"])

    def replies(self, of: str = "") -> list[Message]:
        thread = self.scene.box.slack.messages(CHANNEL, self.ts)
        return [m for m in thread if m["ts"] != self.ts and (not of or kind(m) == of)]

    @property
    def hypotheses(self) -> dict[str, Message]:
        """By id. Two messages for one hypothesis never pass here."""
        found = self.replies(HYPOTHESIS)
        by_id = {str(payload(m)["id"]): m for m in found}
        assert len(by_id) == len(found), "a hypothesis has two messages"
        return by_id

    @property
    def shown(self) -> bool:
        """Whether every hypothesis reads in Slack as it stands in the journal: edits come a little later."""
        seen = {id: payload(m)["state"] for id, m in self.hypotheses.items()}
        return seen == {each.id: each.state.value for each in self.journal.hypotheses.values()}

    @property
    def verdict(self) -> Message | None:
        return next((m for m in self.replies(OTHER) if payload(m)["key"] == "verdict"), None)

    @property
    def cards(self) -> list[Message]:
        return self.replies(CARD)

    def note(self, key: str) -> Message | None:
        return next((m for m in self.replies(OTHER) if str(payload(m)["key"]).startswith(key)), None)

    @property
    def journal(self) -> Investigation:
        """What the journal says, read from the disk."""
        return FileJournals(self.scene.box.home / "scratchpad", SystemClock()).open(self.id).refresh()

    def card_state(self, number: int = 0) -> str:
        return str(payload(self.cards[number])["state"]) if len(self.cards) > number else ""

    def whispers(self, user: str) -> list[Message]:
        """What only this person was told in the thread."""
        return [m for m in self.scene.messages() if m.get("thread_ts") == self.ts and m.get("ephemeral_to") == user]


class Scene:
    """A box with people in it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        box.slack.socket.ack_limit = box.slack.state.trigger_life = ACKNOWLEDGED_WITHIN

    @property
    def alarm(self) -> str:
        return self.box.scenario.expected.alarm

    def messages(self) -> list[Message]:
        return self.box.slack.messages(CHANNEL)

    def heads(self) -> list[Message]:
        return [m for m in self.messages() if kind(m) == HEAD]

    async def wait_for(self, predicate: Callable[[], T | None], what: str, within: float = PATIENCE) -> T:
        return await self.box.slack.wait_for(predicate, within, what)

    async def act(self, user: str, do: str, **more: Any) -> dict[str, Any]:
        """What a person does; it must be possible. Where nobody was connected, they do it again once somebody is."""
        while True:
            done = await self.box.slack.act({"do": do, "user": user, "channel": CHANNEL, **more})
            if done["ok"] or not any(word in str(done["error"]) for word in UNCONNECTED):
                assert done["ok"], done
                return done
            await self.wait_for(lambda: self.box.slack.socket.connections, "a connection of the bot")

    async def asks(self, text: str, user: str = ROSA) -> Case:
        """`/runbook investigate …`; returns as soon as the head message stands."""
        known = {m["ts"] for m in self.heads()}
        await self.act(user, "command", text=f"investigate {text}")
        return await self.newest(known)

    async def newest(self, known: set[str]) -> Case:
        head = await self.wait_for(
            lambda: next((m for m in self.heads() if m["ts"] not in known), None), "a head message"
        )
        return Case(self, head["ts"], str(payload(head)["id"]))

    async def investigated(self, text: str = "", user: str = ROSA) -> Case:
        """Asked, answered, and shown to the end."""
        case = await self.asks(text or self.alarm, user)
        return await self.finished(case)

    async def finished(self, case: Case) -> Case:
        await self.wait_for(lambda: case.status != "open", f"the end of {case.id}", VERDICT_WITHIN)
        await self.wait_for(lambda: case.verdict, f"the verdict of {case.id}")
        await self.wait_for(lambda: case.journal.remedied and case.journal.canvas, f"the canvas of {case.id}")
        await self.wait_for(lambda: case.shown, f"the last edit in the thread of {case.id}")
        return case

    async def proposed(self, case: Case, number: int = 0) -> Message:
        return await self.wait_for(
            lambda: case.cards[number] if len(case.cards) > number else None, "a card with a proposal"
        )

    async def press(self, user: str, message: Message, action: str) -> None:
        await self.act(user, "click", message_ts=message["ts"], action_id=action)

    def changes_made(self) -> int:
        """How often the cloud was told to change the service."""
        return self.box.cloud.calls().get("ecs:UpdateService", 0)

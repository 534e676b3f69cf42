"""Takes a question, finds out what is meant, has it answered, and keeps a record of all that was asked for it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.errand import on_behalf_of
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Noted, Opened, Queried
from runbook_bot.domain.ports import Clock, Journals, Knowledge
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.spoken_time import spoken
from runbook_bot.domain.tools import Query
from runbook_bot.errors import JournalError
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer
from runbook_bot.investigation.ask.happened import changes, logs
from runbook_bot.investigation.ask.known import dependencies, knowledge, owners, why
from runbook_bot.investigation.ask.looking import Looking
from runbook_bot.investigation.ask.measured import metric
from runbook_bot.investigation.ask.reading import Intent, Subject, intent_of, subject_of
from runbook_bot.investigation.ask.standing import alarms, running, status
from runbook_bot.investigation.ask.typed import chosen, close, named, operation, typed
from runbook_bot.investigation.reported import plain
from runbook_bot.investigation.world import World

LONGEST = 4000
"""Characters of a question that are read."""
PATIENCE = 30.0
"""Seconds for one answer."""
REASONER = "ask"
_ABOUT_ONE = ("metric", "logs", "dependencies")
"""Questions that need to know of which service."""
_EXAMPLES = {
    "metric": "show errors of {name} in the last 2 hours",
    "logs": "logs of {name} matching ‘timeout’",
    "dependencies": "what does {name} depend on",
}

_Handler = Callable[[Looking], Awaitable[Answer]]


class Asker:
    """Answers without a model: what is understood is told from the words alone."""

    def __init__(
        self,
        world: World,
        knowledge: Knowledge | None,
        graph: ServiceGraph,
        clock: Clock,
        *,
        records: Journals | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """graph: what people wrote. records: where the run of each question is kept, apart from investigations."""
        self._world = world
        self._knowledge = knowledge
        self._graph = graph
        self._clock = clock
        self._records = records
        self._patience = patience

    async def ask(self, text: str, *, case: Investigation | None = None, requester: str = "") -> Answer:
        """The answer to a question in words. `case`: the investigation in whose thread it was asked. Never raises."""
        return await self._asked(text, case, requester, self._find)

    async def _asked(
        self, text: str, case: Investigation | None, requester: str, find: Callable[[Looking], Awaitable[Answer]]
    ) -> Answer:
        now = self._clock.now().replace(microsecond=0)
        clean = redact(plain(" ".join(text[:LONGEST].encode("utf-8", "replace").decode().split())))
        time_said = spoken(clean, now)
        look = Looking(time_said.rest, self._world, ServiceGraph(), now, self._knowledge, case, time_said.window)
        if len(text) > LONGEST:
            look.notes.append(say.TOO_LONG.format(length=len(text), limit=LONGEST))
        if not any(each.isalnum() for each in clean):
            return self._said(look, clean, "unknown", say.NOTHING_ASKED)
        if time_said.problem:
            return self._said(look, clean, "unclear", time_said.problem)
        with on_behalf_of(case.id if case is not None else ""):
            answer = await self._in_time(look, find(look))
        return await self._kept(look, answer.model_copy(update={"question": clean}), requester)

    async def known(self) -> ServiceGraph:
        """All services: what people wrote, and what the vendors show merged into it. Never raises."""
        found, _ = await self._world.discover()
        return self._graph.merged(found)

    async def ask_typed(self, queries: Sequence[Query], what: str) -> Answer:
        """The answer to typed questions of one kind. Never raises."""
        now = self._clock.now().replace(microsecond=0)
        look = Looking(queries[0].kind, self._world, ServiceGraph(), now)
        answer = await self._in_time(look, typed(look, queries, queries[0].kind, what))
        return await self._kept(look, answer, "")

    async def ask_vendor(self, text: str) -> Answer:
        """As `ask`, and what is meant is one of the vendors' own typed questions. Never raises."""
        return await self._asked(text, None, "", self._find_typed)

    async def _in_time(self, look: Looking, work: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._patience):
                answer = await work
        except TimeoutError:
            answer = Answer(
                question=look.text, intent="late", text=say.LATE.format(seconds=self._patience), at=look.now
            )
        return _sourced(look, answer)

    async def _find(self, look: Looking) -> Answer:
        """What kind of question it is, and the answer."""
        subject = await self._look_around(look)
        intent = intent_of(look.text)
        if intent is not None and intent.firm:
            return await self._of(look, intent, subject)
        routes = await self._routes(look)
        best = chosen(routes)
        if best is not None and (intent is None or (best.whole and self._beyond(look, intent, best))):
            return await operation(look, best)
        if intent is None:
            return self._not_understood(look, subject, routes)
        return await self._of(look, intent, subject)

    @staticmethod
    def _beyond(look: Looking, intent: Intent, route: Route) -> bool:
        """Whether the vendor's question says more than the kind it looks like, or needs no service where that does."""
        homeless = intent.name in _ABOUT_ONE and not (look.services or look.resources)
        return bool(route.queries) and (homeless or not intent.covering(route.own))

    async def _find_typed(self, look: Looking) -> Answer:
        """The vendor's question that is meant, whatever else the words may be like."""
        await self._look_around(look)
        routes = await self._routes(look)
        best = chosen(routes)
        return await operation(look, best) if best is not None else self._nothing_fits(look, routes)

    async def _of(self, look: Looking, intent: Intent, subject: Subject) -> Answer:
        """The answer to a question of a known kind about a known subject; else what is lacking."""
        name = intent.name
        if name in ("why", "knowledge"):
            return await _handlers(name)(look)
        if subject.several:
            return self._said(
                look, look.text, "unclear", say.WHICH.format(names=say.listed(list(subject.several), last="or"))
            )
        if subject.unknown and not (look.services or look.resources) and name not in ("running", "alarms"):
            return self._unknown_name(look, subject)
        if name == "status" and (len(look.services) > 1 or not (look.services or look.resources)):
            return await self._all_of(look)
        if not look.services and not look.resources and name in _ABOUT_ONE:
            return self._which(look, name)
        if name == "dependencies" and not look.services:
            return self._which(look, name)
        return await _handlers(name)(look)

    @staticmethod
    async def _all_of(look: Looking) -> Answer:
        """How several services stand, or all of them."""
        if look.services:
            look.notes.append(say.ONE_BY_ONE.format(name=look.services[0].name))
        return await running(look)

    async def _look_around(self, look: Looking) -> Subject:
        """Services and resources, and which of them the question means; in an investigation's thread its own."""
        if self._world.empty:
            look.unseen.append(say.NO_VENDOR)
        if look.case is not None and look.case.graph is not None:
            look.graph = look.case.graph
            subject = await asyncio.to_thread(subject_of, look.text, look.graph)
        else:
            subject = await self._found(look, anew=False)
            if subject.unknown:  # what is new since the last look is not in it yet
                subject = await self._found(look, anew=True)
        look.services, look.resources = subject.services, subject.resources
        if not (look.services or look.resources or subject.several or subject.unknown) and look.case is not None:
            names = look.case.incident.services if look.case.incident else ()
            look.services = [service for each in names if (service := look.graph.service(each)) is not None]
        return subject

    async def _found(self, look: Looking, *, anew: bool) -> Subject:
        found, problem = await self._world.discover(anew=anew)
        look.graph = self._graph.merged(found)
        if problem and f"discovery: {problem}" not in look.unseen:
            look.unseen.append(f"discovery: {problem}")
        return await asyncio.to_thread(subject_of, look.text, look.graph)

    async def _routes(self, look: Looking) -> list[Route]:
        resources = [*(r for each in look.services for r in each.resources), *look.resources]
        question = Question(
            text=look.text,
            graph=look.graph,
            now=look.now,
            services=[each.name for each in look.services],
            resources=resources,
            window=look.said,
        )
        return await asyncio.to_thread(self._world.understand, question)

    def _nothing_fits(self, look: Looking, routes: Sequence[Route]) -> Answer:
        alike = close(routes)
        if len(alike) > 1:
            text = say.UNCLEAR.format(routes=say.listed([named(each) for each in alike], 3, last="or"))
            return self._said(look, look.text, "unclear", text)
        if routes:
            look.notes.append(say.NEAREST.format(routes=say.listed([named(each) for each in routes[:3]])))
        return self._said(look, look.text, "unknown", say.NOTHING_FITS)

    def _not_understood(self, look: Looking, subject: Subject, routes: Sequence[Route]) -> Answer:
        if subject.services and not routes:
            look.notes.append(f"I know {say.listed([each.name for each in subject.services])}.")
        answer = self._nothing_fits(look, routes)
        return answer if answer.intent == "unclear" else self._said(look, look.text, "unknown", say.NOT_UNDERSTOOD)

    def _unknown_name(self, look: Looking, subject: Subject) -> Answer:
        text = say.UNKNOWN_NAME.format(name=subject.unknown)
        names = [each.name for each in look.graph]
        if subject.near:
            text += " " + say.DID_YOU_MEAN.format(names=say.listed(list(subject.near), last="or"))
        elif names:
            text += " " + say.KNOWN.format(names=say.listed(names, 12))
        else:
            text += " " + say.NO_SERVICES
        return self._said(look, look.text, "unclear", text)

    def _which(self, look: Looking, name: str) -> Answer:
        known = [each.name for each in look.graph]
        if not known:
            return self._said(look, look.text, "unclear", say.NO_SERVICES)
        example = _EXAMPLES[name].format(name=known[0])
        look.notes.append(say.KNOWN.format(names=say.listed(known, 12)))
        return self._said(look, look.text, "unclear", say.SAY_WHICH.format(example=example))

    def _said(self, look: Looking, question: str, intent: str, text: str) -> Answer:
        said = text.format(can=say.listed(list(say.CAN), len(say.CAN), last="or")) if "{can}" in text else text
        return _sourced(look, Answer(question=question, intent=intent, text=said, at=look.now))

    async def _kept(self, look: Looking, answer: Answer, requester: str) -> Answer:
        """The question, everything that was asked and the answer, in a journal of its own."""
        if self._records is None:
            return answer
        request = Request(text=answer.question, requester=requester)
        bodies: list[Queried | Noted] = [*look.asked, Noted(text=f"{answer.intent}: {answer.text}")]
        try:
            location = await asyncio.to_thread(self._write, request, bodies)
        except JournalError as problem:
            return answer.model_copy(update={"notes": (*answer.notes, say.NOT_KEPT.format(why=problem))})
        return answer.model_copy(update={"record": location})

    def _write(self, request: Request, bodies: Sequence[Queried | Noted]) -> str:
        assert self._records is not None
        journal = self._records.create(f"inv-ask-{secrets.token_hex(6)}", Opened(request=request, reasoner=REASONER))
        if journal is None:
            raise JournalError("a record of that name exists already")
        journal.append(*bodies)
        return journal.location


def _sourced(look: Looking, answer: Answer) -> Answer:
    """With where it comes from, what was not seen, and what to know beside it."""
    unseen = tuple(dict.fromkeys((*answer.unseen, *look.unseen)))
    notes = tuple(dict.fromkeys((*answer.notes, *look.notes)))
    return answer.model_copy(update={"sources": tuple(look.sources), "unseen": unseen, "notes": notes})


def _handlers(name: str) -> _Handler:
    at_once: dict[str, Callable[[Looking], Answer]] = {"owner": owners, "dependencies": dependencies, "why": why}
    asking: dict[str, _Handler] = {
        "running": running,
        "status": status,
        "alarms": alarms,
        "metric": metric,
        "changes": changes,
        "logs": logs,
        "knowledge": knowledge,
    }
    if name in asking:
        return asking[name]

    async def told(look: Looking) -> Answer:
        return at_once[name](look)

    return told

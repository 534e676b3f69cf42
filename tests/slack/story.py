"""An investigation told entry by entry, for looking at it in every state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runbook_bot.domain.approval import (
    Call,
    Decision,
    Denial,
    Entitled,
    Outcome,
    Preparation,
    Proposal,
    Risk,
    Verification,
)
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Expectation, Hypothesis, HypothesisState, Prediction
from runbook_bot.domain.incident import Incident, Request, Source, Symptom
from runbook_bot.domain.investigation import Investigation, fold
from runbook_bot.domain.journal import (
    Body,
    ChangeProposed,
    Checked,
    Concluded,
    Decided,
    Entry,
    Executed,
    Failed,
    IncidentFound,
    Judged,
    Opened,
    Posted,
    Proposed,
    Queried,
    Ruled,
    Scored,
    Settled,
    Spent,
    StepsFound,
    StopAsked,
    SymptomFound,
    Verified,
    seal,
)
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.verdict import Candidate, RootCause, Verdict
from runbook_bot.domain.vocabulary import FailureMode, ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.slack.workspace import Workspace

ID = "inv-0123456789"
CHANNEL = "C0INCIDENTS"
ACME = Workspace(team="T0ACME", bot_user="U0RUNBOOK", bot_id="B0RUNBOOK", url="https://acme.slack.com/")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TARGET = Resource(type=ResourceType.target_group, name="checkout-api")
SERVICE = Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout-api")
WINDOW = TimeWindow(start=NOON - timedelta(hours=3), end=NOON + timedelta(minutes=30), onset=NOON)


@dataclass
class Story:
    """Entries one second apart. `words` is put into every text that comes from outside."""

    words: str = "Checkout answers 5xx"
    entries: list[Entry] = field(default_factory=list)

    def tell(self, *bodies: Body) -> "Story":
        for body in bodies:
            last = self.entries[-1] if self.entries else None
            seq = last.seq + 1 if last else 1
            self.entries.append(seal(seq, NOON + timedelta(seconds=seq), last.hash if last else "", body))
        return self

    @property
    def case(self) -> Investigation:
        return fold(ID, self.entries)

    @property
    def bodies(self) -> Iterable[Body]:
        return (entry.body for entry in self.entries)

    # chapters

    def opened(self, **changes: str) -> "Story":
        asked = {"text": self.words, "requester": "U0ROSA", "team": "T0ACME", "channel": CHANNEL, **changes}
        request = Request.model_validate({**asked, "source": Source.slack})
        return self.tell(Opened(request=request, reasoner="catalogue"))

    def shown(self, *keys: str, channel: str = CHANNEL) -> "Story":
        head = None if keys == ("head",) else "1764000000.000100"
        return self.tell(
            *(
                Posted(key=key, channel=channel, ts=f"1764000000.{n:06d}", thread=head)
                for n, key in enumerate(keys, start=100)
            )
        )

    def triaged(self) -> "Story":
        incident = Incident(
            id="PD-1", source=Source.pagerduty, title=self.words, services=("checkout-api",), window=WINDOW
        )
        symptom = Symptom(
            service="checkout-api",
            resource=TARGET,
            signal=Signal.errors,
            moved="rises",
            onset=NOON,
            baseline=3.0,
            level=212.0,
            effect=41.0,
        )
        times = tuple(NOON.timestamp() + 60 * minute for minute in range(-60, 30))
        values = tuple(3.0 if at < NOON.timestamp() else 212.0 for at in times)
        series = Series(name="5xx", signal=Signal.errors, resource=TARGET, times=times, values=values)
        earlier = tuple(at - 86_400 for at in (*times, times[-1] + 60))
        yesterday = series.model_copy(update={"times": earlier, "values": (3.0,) * len(earlier)})
        result = Result(status=Status.ok, source="aws.cloudwatch.metrics", where="5xx, 3 h", series=(yesterday, series))
        asked = Queried(query_kind="read_metrics", query={}, key="k1", result=result, seconds=0.2)
        return self.tell(IncidentFound(incident=incident), asked, SymptomFound(symptom=symptom))

    def supposed(self) -> "Story":
        predictions = (
            Prediction(about="changes", expect=Expectation.present, seen=6, unseen=0.1, text=f"a change {self.words}"),
        )
        first = Hypothesis(
            id="H1",
            statement=f"The deployment broke it: {self.words}",
            failure_mode=FailureMode.bad_deployment,
            prior=0.4,
            predictions=predictions,
            service="checkout-api",
            resource=SERVICE,
        )
        second = first.model_copy(
            update={
                "id": "H2",
                "statement": f"The database is out of connections: {self.words}",
                "failure_mode": FailureMode.connection_exhaustion,
            }
        )
        return self.tell(Proposed(hypothesis=first), Proposed(hypothesis=second))

    def tested(self) -> "Story":
        return self.tell(
            Settled(hypothesis="H1", state=HypothesisState.testing),
            Judged(evidence=self._evidence("E1", "H1", Direction.supports, Strength.strong, 1.8)),
            Judged(evidence=self._evidence("E2", "H2", Direction.refutes, Strength.strong, -2.1)),
            Judged(evidence=self._evidence("E3", "H1", Direction.unknown, Strength.none, 0.0)),
            Scored(confidence={"H1": 0.87, "H2": 0.03}, unexplained=0.1),
            Settled(hypothesis="H1", state=HypothesisState.supported, reason=f"E1 {self.words}"),
            Settled(hypothesis="H2", state=HypothesisState.pruned, reason=f"connections stayed at 12: {self.words}"),
        )

    def branched(self) -> "Story":
        return self.tell(
            Proposed(
                hypothesis=Hypothesis(
                    id="H1.1",
                    parent="H1",
                    statement=f"Only the environment changed: {self.words}",
                    failure_mode=FailureMode.configuration_change,
                    prior=0.5,
                )
            )
        )

    def _evidence(self, id: str, hypothesis: str, direction: Direction, strength: Strength, weight: float) -> Evidence:
        return Evidence(
            id=id,
            hypothesis=hypothesis,
            source="aws.cloudwatch.metrics",
            query={},
            asked="k1",
            window=WINDOW,
            observed_at=NOON,
            status=Status.ok if direction is not Direction.unknown else Status.denied,
            direction=direction,
            strength=strength,
            weight=weight,
            summary=f"5xx rose from 3 to 212: {self.words}",
            digest="sha256:" + "0" * 64,
            console="https://console.aws.amazon.com/cloudwatch?a=1&b=2",
        )

    def concluded(self, mode: FailureMode = FailureMode.bad_deployment) -> "Story":
        cause = RootCause(
            statement=f"Revision 42 of checkout-api fails on start: {self.words}",
            service="checkout-api",
            resource=SERVICE,
            failure_mode=mode,
            confidence=0.87,
            causal_chain=(f"revision 42 was deployed {self.words}", "its tasks fail", "the load balancer answers 5xx"),
            evidence=("E1",),
        )
        verdict = Verdict(
            status="concluded",
            root_cause=cause,
            ranked=(
                Candidate(service="checkout-api", failure_mode=mode, confidence=0.87, hypothesis="H1"),
                Candidate(failure_mode=None, confidence=0.1),
            ),
            ruled_out=(f"H2: connections stayed at 12 {self.words}",) * 7,
            unknowns=(f"RDS events: rds:DescribeEvents is missing {self.words}",),
            next_step=f"Go back to revision 41 {self.words}",
            struck=1,
            at=NOON,
        )
        steps = StepsFound(
            runbook="runbooks/checkout.md", title=self.words, steps=(f"Roll back. {self.words}", "Wait.")
        )
        return self.tell(steps, Concluded(verdict=verdict))

    def undecided(self, cut_short: str = "") -> "Story":
        verdict = Verdict(
            status="inconclusive",
            root_cause=None,
            ranked=(
                Candidate(failure_mode=FailureMode.bad_deployment, confidence=0.4, hypothesis="H1"),
                Candidate(failure_mode=None, confidence=0.35),
            ),
            next_step=f"Read the logs of one task {self.words}",
            cut_short=cut_short,
            at=NOON,
        )
        return self.tell(Concluded(verdict=verdict))

    def stopped(self) -> "Story":
        return self.tell(StopAsked(by="U0AMIR")).undecided("stopped by a person")

    def failed(self) -> "Story":
        return self.tell(Failed(text=f"no source answered: {self.words}"))

    def offered(self, risk: Risk = Risk.high, needed: int = 1) -> "Story":
        return self.tell(ChangeProposed(proposal=self.proposal(risk, needed)))

    def proposal(self, risk: Risk = Risk.high, needed: int = 1) -> Proposal:
        back = Call(operation="ecs.update_service", parameters={"taskDefinition": "checkout-api:42"})
        return Proposal(
            id=f"{ID}.P1",
            investigation=ID,
            preparation=Preparation(
                title=f"Go back to checkout-api:41 {self.words}",
                call=Call(operation="ecs.update_service", parameters={"taskDefinition": "checkout-api:41"}),
                target=SERVICE,
                account="123456789012",
                region="us-east-1",
                pre_state={"taskDefinition": "checkout-api:42", "note": self.words},
                impact=f"6 tasks are replaced, none missing during it {self.words}",
                risk=risk,
                rollback=back,
                shown=f"ecs.update_service(cluster=prod, taskDefinition=checkout-api:41) # {self.words}",
                summary=f"checkout-api:42 → checkout-api:41 {self.words}",
            ),
            requester="U0ROSA",
            proposed_by="catalogue",
            hypothesis="H1",
            evidence=("E1",),
            runbook="runbooks/checkout.md",
            verification=Verification(resource=TARGET, signal=Signal.errors, moved="rises", baseline=3.0, level=212.0),
            created_at=NOON,
            expires_at=NOON + timedelta(minutes=30),
            channel=CHANNEL,
            needed=needed,
            entitled=Entitled(usergroups=("S0APPROVERS",), users=("U0BEN",)),
        )

    def pressed(self, verdict: str = "approve", user: str = "U0AMIR", delivery: str = "click1") -> "Story":
        decision = Decision.model_validate(
            {
                "proposal": f"{ID}.P1",
                "verdict": verdict,
                "user": user,
                "team": "T0ACME",
                "channel": CHANNEL,
                "message": "1764000000.000103",
                "reason": self.words if verdict == "reject" else "",
                "at": NOON,
                "delivery": delivery,
            }
        )
        return self.tell(Decided(decision=decision))

    def ruled(self, outcome: str, delivery: str = "click1", user: str = "U0AMIR") -> "Story":
        denial = Denial(
            proposal=f"{ID}.P1", user=user, why=f"you asked for it {self.words}", code="not_allowed", at=NOON
        )
        ruled = {
            "proposal": f"{ID}.P1",
            "delivery": delivery,
            "outcome": outcome,
            "approvers": (user,) if outcome in ("approved", "awaiting") else (),
            "denial": denial if outcome in ("denied", "void", "rejected") else None,
        }
        return self.tell(Ruled.model_validate(ruled))

    def executed(self, took_effect: bool | None = True) -> "Story":
        outcome = Outcome(took_effect=took_effect, message=f"the service was updated {self.words}")
        spent = Spent(proposal=f"{ID}.P1", digest="sha256:0")
        return self.tell(spent, Executed(proposal=f"{ID}.P1", outcome=outcome, approvers=("U0AMIR",)))

    def verified(self, recovered: bool | None = True) -> "Story":
        text = f"errors of checkout-api is back at 3/min (212/min when it was proposed) at 12:41 UTC {self.words}"
        return self.tell(
            Checked(proposal=f"{ID}.P1", level=3.0, recovered=bool(recovered), text=text),
            Verified(proposal=f"{ID}.P1", recovered=recovered, text=text),
        )


def chapters(words: str) -> dict[str, Investigation]:
    """One investigation in every state in which it can be looked at."""

    def begun() -> Story:
        return Story(words).opened().shown("head")

    def found() -> Story:
        return begun().triaged().supposed().tested()

    def asked(risk: Risk = Risk.high, needed: int = 1) -> Story:
        return found().concluded().offered(risk, needed)

    return {
        "opened": Story(words).opened().case,
        "triaged": begun().triaged().case,
        "supposed": begun().triaged().supposed().case,
        "tested": found().branched().shown("hypothesis:H1").case,
        "concluded": found().concluded().case,
        "no fault": found().concluded(FailureMode.none).case,
        "inconclusive": found().undecided().case,
        "stopped": found().stopped().case,
        "failed": begun().failed().case,
        "offered": asked().case,
        "critical": asked(Risk.critical, 2).case,
        "awaiting": asked(Risk.critical, 2).pressed().ruled("awaiting").case,
        "denied": asked().pressed(user="U0ROSA").ruled("denied", user="U0ROSA").case,
        "rejected": asked().pressed("reject").ruled("rejected").case,
        "void": asked().pressed().ruled("void").case,
        "approved": asked().pressed().ruled("approved").case,
        "executed": asked().pressed().ruled("approved").executed().case,
        "did not take": asked().pressed().ruled("approved").executed(False).case,
        "verified": asked().pressed().ruled("approved").executed().verified().case,
        "did not help": asked().pressed().ruled("approved").executed().verified(False).case,
        "cannot tell": asked().pressed().ruled("approved").executed(None).verified(None).case,
    }

"""How sure to be: computed from evidence by code, never set by a model.

Naive Bayes over competing hypotheses with correlated evidence counted once (the strongest of each group), see
I. J. Good, "Weight of Evidence: A Brief Survey", Bayesian Statistics 2 (1985). The posterior is tempered by a
temperature (Guo et al., "On Calibration of Modern Neural Networks", 2017); what it makes of the leader is calibrated
on the scenario suite.
"""

import math
from collections.abc import Iterable, Mapping

from runbook_bot.domain.calibration import Calibration, committed
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.tools import Status
from runbook_bot.domain.vocabulary import FailureMode

STRONG = math.log(4.0)
"""A likelihood ratio of 4 or more is strong (Kass and Raftery, 1995, call 3 to 20 positive)."""
WEAK = math.log(1.3)
SHOWN = math.log(6.0)
"""Total weight from which a hypothesis counts as shown."""
TEMPERATURE = 1.3
"""Above 1 draws the posterior towards the middle: the evidence is not as independent as the formula takes it to be."""
NONE_OF_THESE = 0.12
"""Prior of a cause that nobody here thought of."""

BLIND = 0.5
"""What is added to it where nothing at all could be read: a cause may lie in what was not seen."""


def strength(weight: float) -> Strength:
    """The word for a weight of evidence (natural logarithm of a likelihood ratio), whichever way it points."""
    size = abs(weight)
    return Strength.strong if size >= STRONG else Strength.weak if size >= WEAK else Strength.none


def support(evidence: Iterable[Evidence]) -> float:
    """The total weight of evidence: of each group the largest, groups added up; unknown counts nothing."""
    groups: dict[str, float] = {}
    for each in evidence:
        if each.direction is Direction.unknown:
            continue
        group = each.group or each.id
        if abs(each.weight) > abs(groups.get(group, 0.0)):
            groups[group] = each.weight
    return sum(groups.values())


EXPLAINED = 0.05
"""What is left of a finding that is the known consequence of another one that was shown."""


MECHANISM = "mechanism"
"""The group of the evidence that what runs short began to do so with the change."""
CHANGES = (FailureMode.bad_deployment, FailureMode.configuration_change)


def _explained(h: Hypothesis, siblings: Iterable[Hypothesis], evidence: Mapping[str, Iterable[Evidence]]) -> bool:
    return any(
        other.failure_mode in h.explained_by
        and other.service == h.service
        and support(evidence.get(other.id, ())) >= SHOWN
        and (other.failure_mode not in CHANGES or _moved_with_it(evidence.get(other.id, ())))
        for other in siblings
    )


def _moved_with_it(evidence: Iterable[Evidence]) -> bool:
    """Nearness to the onset alone must not explain another finding away: the finding has to begin with the change."""
    return any(e.group == MECHANISM and e.direction is Direction.supports for e in evidence)


def _blind(evidence: Mapping[str, Iterable[Evidence]]) -> float:
    """The share of what was asked that failed or was denied: between 0 and 1."""
    failed = [e.status in (Status.denied, Status.error) for each in evidence.values() for e in each]
    return sum(failed) / len(failed) if failed else 0.0


def posterior(
    hypotheses: Iterable[Hypothesis], evidence: Mapping[str, Iterable[Evidence]], temperature: float = TEMPERATURE
) -> tuple[dict[str, float], float]:
    """Confidence by hypothesis id, and the share of "none of these". Siblings compete; a branch shares its parent's.

    `evidence` holds each hypothesis' own. A pruned hypothesis keeps what little its evidence leaves it.
    """
    everyone = list(hypotheses)
    confidence: dict[str, float] = {}

    unseen = math.log(NONE_OF_THESE + BLIND * _blind(evidence))

    def share(parent: str | None, mass: float) -> float:
        siblings = [h for h in everyone if h.parent == parent]
        scores = {h.id: math.log(max(h.prior, 1e-6)) + support(evidence.get(h.id, ())) for h in siblings}
        scores[""] = unseen
        top = max(scores.values())
        weights = {id: math.exp((score - top) / temperature) for id, score in scores.items()}
        for h in siblings:
            if _explained(h, siblings, evidence):
                weights[h.id] *= EXPLAINED
            if h.state is HypothesisState.pruned:
                weights[h.id] = min(weights[h.id], weights[""] * 0.1)
        total = sum(weights.values())
        for h in siblings:
            confidence[h.id] = mass * weights[h.id] / total
            share(h.id, confidence[h.id])
        return mass * weights[""] / total

    unexplained = share(None, 1.0)
    return confidence, unexplained


def calibrated(
    hypotheses: Iterable[Hypothesis],
    confidence: Mapping[str, float],
    unexplained: float,
    calibration: Calibration | None = None,
) -> tuple[dict[str, float], float]:
    """The same posterior with the leader's own share turned into how often such a leader is right.

    What the leader loses counts as unexplained, for who is too sure has not thought of something; what it gains all
    others give in proportion. None of them passes it. Parents stay the sum of what is theirs.
    """
    parents = {h.id: h.parent for h in hypotheses if h.id in confidence}
    own = dict.fromkeys(parents, 0.0) | {id: confidence[id] for id in parents}
    for id, parent in parents.items():
        if parent in own:
            own[parent] -= confidence[id]
    own = {id: max(0.0, share) for id, share in own.items()}
    leader = max(own, key=lambda id: (own[id], id), default=None)
    if leader is None or own[leader] >= 1:
        return dict(confidence), unexplained
    share = own[leader]
    surer = (calibration or committed()).of(share)
    rest = min(1.0, (1 - surer) / (1 - share))
    new = {id: surer if id == leader else min(each * rest, surer) for id, each in own.items()}
    total = dict(new)
    for id in sorted(parents, key=lambda each: -each.count(".")):
        parent = parents[id]
        if parent in total:
            total[parent] += total[id]
    return total, max(0.0, 1 - sum(new.values()))

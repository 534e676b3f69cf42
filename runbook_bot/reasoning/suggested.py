"""A person's idea in their own words, as a failure mode at a place that can be tested."""

import re
from collections.abc import Sequence

from runbook_bot.analysis.complaints import mentions
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.vocabulary import FailureMode, ResourceType
from runbook_bot.reasoning.ideas import Idea, own_ideas
from runbook_bot.reasoning.modes import modes

MOST = 2
"""Hypotheses that one sentence becomes."""
F, R = FailureMode, ResourceType
MEANT: tuple[tuple[str, FailureMode], ...] = (
    (r"false alarm|noise|nothing (is )?wrong|flapping", F.none),
    (r"security group|firewall|\bnacl\b", F.security_group_change),
    (r"certificate|\btls\b|\bssl\b|\bcert\b", F.certificate_expired),
    (r"\bdns\b|name resolution|resolv|nxdomain", F.dns_failure),
    (r"credential|password|secret|\btoken\b|api key|rotat", F.credentials_expired),
    (r"permission|\biam\b|access denied|not authori[sz]ed|\bpolicy\b", F.permission_denied),
    (r"image pull|cannot pull|\bimage\b.*(missing|gone)|\becr\b", F.image_pull_failure),
    (r"crash.?loop|keeps? (crash|restart)|restart(s|ing) (all the time|again and again)", F.crash_loop),
    (r"health.?check|probe", F.health_check_failure),
    (r"connection (pool|limit|leak)|too many connections|max.?connections|out of connections", F.connection_exhaustion),
    (r"deadlock|\block(s|ed|ing)?\b|lock wait", F.lock_contention),
    (r"replica|replication", F.replication_lag),
    (r"fail.?over|failed over", F.database_failover),
    (r"slow quer|missing index|full scan|query plan|statement", F.slow_queries),
    (r"\biops\b|\bi/?o\b|disk (is )?slow|burst", F.io_saturation),
    (r"disk|storage|no space|volume full", F.disk_exhaustion),
    (r"memory|\boom\b|heap|leak", F.memory_exhaustion),
    (r"concurrency|concurrent", F.concurrency_limit),
    (r"quota|account limit|service limit", F.quota_exceeded),
    (r"throttl|rate limit|\b429\b", F.throttling),
    (r"packet loss|losing packets|\bresets?\b", F.network_loss),
    (r"network (is )?(slow|latency)|slow network|round trip", F.network_latency),
    (r"traffic|spike|surge|\bddos\b|attack|campaign|black friday|too many requests", F.traffic_surge),
    (r"capacity|too few (tasks|copies|instances|pods)|scaled? (down|in)", F.capacity_shortage),
    (r"\bcron\b|scheduled|batch|nightly|backup|job\b", F.scheduled_job),
    (r"\bzone\b|\baz\b|\bhost\b|hardware|instance (died|gone|terminated)|\bnode\b", F.zone_or_host_failure),
    (r"backlog|queue|messages pil|consumer", F.queue_backlog),
    (r"cache|redis|memcache|valkey", F.cache_failure),
    (r"config|setting|parameter|environment variable|feature flag|\bflag\b|terraform", F.configuration_change),
    (r"deploy|release|roll.?out|new version|shipped|merged|new build", F.bad_deployment),
    (r"\bcpu\b|processor|busy loop", F.cpu_saturation),
    (r"\bbug\b|exception|stack trace|null pointer|regression|code", F.code_defect),
)  # fmt: skip
"""What people say, the more exact before the more general, and what they mean by it."""
KINDS: tuple[tuple[str, tuple[ResourceType, ...]], ...] = (
    (r"database|\bdb\b|postgres|mysql|\brds\b|aurora", (R.rds_instance, R.rds_cluster)),
    (r"cache|redis|memcache|valkey", (R.elasticache_cluster,)),
    (r"queue|\bsqs\b", (R.sqs_queue,)),
    (r"stream|kinesis", (R.kinesis_stream,)),
    (r"table|dynamo", (R.dynamodb_table,)),
    (r"lambda|function", (R.lambda_function,)),
    (r"load.?balancer|\balb\b|\belb\b", (R.load_balancer, R.target_group)),
)
"""Words for kinds of things."""


def meant(case: Investigation, text: str) -> list[Idea]:
    """What the words may mean here, likeliest first; empty where nothing known fits them."""
    said = text.casefold()
    kinds = {kind for words, types in KINDS if re.search(words, said) for kind in types}
    places = _places(case, text, kinds)
    named = [mode for words, mode in MEANT if re.search(words, said)]
    if F.none in named:
        service = case.symptom.service if case.symptom else ""
        return [Idea(F.none, service, None, modes()[F.none].prior)]
    # A kind of thing that is named only as such ("it is the database") is no failure mode yet.
    ideas = [idea for mode in named if (idea := _at(case, mode, places, kinds)) is not None][:1]
    if not ideas and (kinds or _named(case, text)):
        ideas = [idea for place in places[:1] for idea in own_ideas(case, place.name)]
        ideas = sorted(ideas, key=lambda idea: (-idea.prior, idea.mode))
    return ideas[:MOST]


def _named(case: Investigation, text: str) -> list[Service]:
    return [each for each in (case.graph or ()) if mentions(text, each.name)]


def _places(case: Investigation, text: str, kinds: set[ResourceType]) -> list[Service]:
    """Where to look for it: the services that are named, else all that are looked at, nearest first."""
    named = _named(case, text)
    scope = [each for name in case.scope if case.graph and (each := case.graph.service(name))]
    hurts = case.symptom.service if case.symptom else ""
    found = named or sorted(scope, key=lambda each: each.name != hurts)
    having = [each for each in found if any(r.type in kinds for r in each.resources)] if kinds else []
    return having or found


def _at(case: Investigation, mode: FailureMode, places: Sequence[Service], kinds: set[ResourceType]) -> Idea | None:
    """The mode at the first place where something speaks for it, else at the first that it can strike."""
    strikes = modes()[mode].strikes
    fitting = [(place, struck) for place in places if (struck := _struck(place, strikes, kinds))]
    for place, _ in fitting:
        spoken = next((i for i in own_ideas(case, place.name) if i.mode is mode and i.because), None)
        if spoken is not None:
            return spoken
    return next((Idea(mode, place.name, struck[0], modes()[mode].prior) for place, struck in fitting), None)


def _struck(place: Service, strikes: Sequence[ResourceType], kinds: set[ResourceType]) -> list[Resource]:
    struck = [r for r in place.resources if r.type in strikes]
    return [r for r in struck if r.type in kinds] or struck

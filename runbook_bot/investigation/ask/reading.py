"""What a question is about, told from its words: its kind, and the services and resources that it names."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.vocabulary import Signal as S  # noqa: N817  # thirty rows read best at one line each

_SIGNALS: tuple[tuple[str, tuple[S, ...]], ...] = (
    (r"p99|99th|tail latency", (S.latency_p99,)),
    (r"5xx|4xx|500s|error rate|errors?|failures?", (S.errors,)),
    (r"latency|response times?|slow(?:ness)?", (S.latency, S.latency_p99, S.duration, S.read_latency, S.write_latency)),
    (r"run ?times?|durations?", (S.duration,)),
    (r"cpu", (S.cpu,)),
    (r"memory|ram", (S.memory, S.memory_free)),
    (r"requests?|traffic|throughput|rps|invocations?|load", (S.requests,)),
    (r"connection errors", (S.connection_errors,)),
    (r"connections?", (S.connections,)),
    (r"throttl\w+", (S.throttles,)),
    (r"concurrency|concurrent executions", (S.concurrency,)),
    (r"(?:disk|storage|free) space|disk|storage", (S.disk_free,)),
    (r"disk queue|iops", (S.disk_queue,)),
    (r"read latency", (S.read_latency,)),
    (r"write latency", (S.write_latency,)),
    (r"deadlocks?", (S.deadlocks,)),
    (r"(?:replica(?:tion)? )?lag", (S.replica_lag, S.iterator_age)),
    (r"dead letters?", (S.dead_letters,)),
    (r"iterator age", (S.iterator_age,)),
    (r"queue (?:depth|length|size)|backlog|messages waiting", (S.queue_depth,)),
    (r"oldest message|message age", (S.oldest_message_age,)),
    (r"unhealthy (?:hosts|targets)", (S.unhealthy_hosts,)),
    (r"healthy (?:hosts|targets)", (S.healthy_hosts,)),
    (r"(?:running )?tasks? count|running tasks", (S.running_tasks,)),
    (r"evictions?", (S.evictions,)),
    (r"cache misses|misses", (S.cache_misses,)),
    (r"consumed capacity|capacity units", (S.consumed_capacity,)),
    (r"network (?:in|received)", (S.network_in,)),
    (r"network (?:out|sent)", (S.network_out,)),
    (r"burst balance", (S.burst_balance,)),
)
"""How people call what can be measured; a longer name goes before a part of it."""
_BY_LENGTH = sorted(_SIGNALS, key=lambda pair: -max(len(part) for part in pair[0].split("|")))


@dataclass(frozen=True)
class Intent:
    """A kind of question: by which words it is known, and which words of a vendor's phrase it covers anyway."""

    name: str
    pattern: re.Pattern[str]
    covers: frozenset[str]
    firm: bool = False
    """No vendor's question is meant, whatever else the words are like."""

    def covering(self, words: Iterable[str]) -> bool:
        """Whether a phrase of these words asks for nothing beyond this kind of question."""
        return all(word in self.covers or word.removesuffix("s") in self.covers for word in words)


def _intent(name: str, pattern: str, covers: str, *, firm: bool = False) -> Intent:
    return Intent(name, re.compile(pattern, re.IGNORECASE), frozenset(covers.split()), firm)


INTENTS: tuple[Intent, ...] = (
    _intent("why", r"\bh\d+(?:\.\d+){0,3}\b", "", firm=True),
    _intent(
        "knowledge",
        r"\b(?:run-?books?|play-?books?|post-?mortems?|known issues?|document\w*|wiki)\b|"
        r"\bhow (?:do|to|should|can|would) (?:i|we|you|one)?\b|\bwhat (?:do|should) (?:i|we) do\b",
        "",
        firm=True,
    ),
    _intent(
        "owner",
        r"\bwho(?:m)? (?:owns?|runs?|maintains?)\b|\bowners?(?:hip)?\b|\bowned by\b|\bon[- ]?call\b|"
        r"\bwho(?:m)? (?:do|should|can|to) (?:i |we )?(?:call|page|ask|ping)\b|\bwhich team\b|"
        r"\bwhose (?:service|is)\b|\bresponsible for\b",
        "",
        firm=True,
    ),
    _intent(
        "dependencies",
        r"\bdepend(?:s|ed|ing|encies|ency|ents?)?\b|\bupstreams?\b|\bdownstreams?\b|\bblast radius\b|"
        r"\b(?:who|what) (?:calls|uses)\b|\bwhat does\b.{1,80}\b(?:call|use)\b",
        "",
        firm=True,
    ),
    _intent(
        "changes",
        r"\b(?:did|has|have) (?:any|some)(?:one|body)\b.{0,40}\b(?:chang|deploy|touch|modif|releas)|"
        r"\bwhat (?:has |have )?happened\b",
        "",
        firm=True,
    ),
    _intent("logs", r"\blogs?\b|\blog lines?\b|\bstack ?traces?\b|\bexceptions?\b",
            "log line error search application exception"),
    _intent(
        "changes",
        r"\bchang(?:e|es|ed|ing)\b|\bdeploy(?:s|ed|ment|ments)?\b|\brolled out\b|\brollouts?\b|\breleas(?:e|es|ed)\b|"
        r"\bwho (?:did|touched|modified|deleted|created)\b|\bmodified\b|\btimeline\b",
        "change changed deploy deployment deployed who did made recent audit cloudtrail event last latest timeline "
        "modified touched release",
    ),
    _intent("alarms", r"\b(?:alarms?|alerts?|firing|on fire)\b", "alarm alert firing"),
    _intent(
        "metric",
        r"\bmetrics?\b|\bvital signs?\b|\bgraphs?\b|\bcharts?\b",
        "metric chart graph statistic read error rate latency response time p99 cpu memory request traffic throughput "
        "connection throttle concurrency disk storage space lag queue depth backlog duration failure usage "
        "database db slow",
    ),
    _intent(
        "running",
        r"\bwhat(?:'s| is| are| do we have)?(?: all)? running\b|\bwhat runs\b|\bwhat do we run\b|\binventory\b|"
        r"\b(?:list|show|which|what|all)\b.{0,20}\bservices\b(?!.{0,12}\bof\b)|\boverview\b|"
        r"\bwhat(?:'s| is)(?: there)? (?:in|on) (?:prod|production|staging|dev|test)\b",
        "run running service",
    ),
    _intent(
        "status",
        r"\bstatus\b|\bstate of\b|\bhealth(?:y)?\b|\bhow(?:'s| is| are)\b|\bis\b.{1,80}\b(?:ok|okay|up|down|healthy|"
        r"broken|running|alive|working|fine|slow|unwell)\b|\bdescribe\b|"
        r"\b(?:what(?:'s|s| is)|anything|something) (?:wrong|broken|down|failing|up|going on|the matter)\b|"
        r"\bwhy (?:is|are|does|do)\b.{1,80}\b(?:fail\w*|slow|down|broken|errors?|erroring|unhealthy|crash\w*|"
        r"restart\w*|tim(?:e|es|ing) out|work\w*)\b|\bhow many (?:tasks|copies|instances|replicas|containers|pods)\b",
        "status state health healthy service fail failing task instance database db",
    ),
)  # fmt: skip
"""In the order in which they are tried."""
_GRAMMAR = frozenset(
    {"what", "the", "a", "an", "all", "it", "this", "that", "them", "us", "me", "our", "there", "here", "everything",
     "anything", "services", "service", "system", "systems", "cloud", "aws", "environment", "account", "region", "now",
     "alarm", "alarms", "alert", "team", "which", "who", "how", "running", "and", "or", "to", "of", "in", "on", "for",
     "is", "are", "was", "last", "past", "since", "recently", "lately", "ok", "down", "up", "today", "general", "total",
     "wrong", "broken", "going", "happening", "matter", "fire", "failing", "slow", "high", "many", "much", "trouble",
     "logs", "log", "errors", "error", "line", "lines"}
)  # fmt: skip
SCOPES = {
    "prod": ("prod", "production", "live"), "production": ("prod", "production", "live"),
    "staging": ("staging", "stage", "stg"), "stage": ("staging", "stage", "stg"),
    "dev": ("dev", "development"), "development": ("dev", "development"),
    "test": ("test", "testing", "qa"), "qa": ("qa", "test"),
}  # fmt: skip
_KINDS = {
    "database": (R.rds_instance, R.rds_cluster), "db": (R.rds_instance, R.rds_cluster),
    "cache": (R.elasticache_cluster,), "queue": (R.sqs_queue,), "load balancer": (R.load_balancer,),
}  # fmt: skip
_KIND = re.compile(rf"\b(?:the|our|my)\s+({'|'.join(_KINDS)})(s)?\b(?!\s+log)", re.IGNORECASE)
_SCOPE = re.compile(rf"\b(?:in|on|of)\s+(?:the\s+)?({'|'.join(SCOPES)})\b(?![-_./])", re.IGNORECASE)
_NAME = re.compile(
    r"\b(?:of|in|for|on|about|from|owns|runs|to|is|are|does|with|service|how's|calls|uses)\s+(?:the\s+|our\s+|service\s+)*"
    r"[\"'`“]?([A-Za-z0-9_/][\w./:-]{1,120})",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”'`‘’]([^\"“”'`‘’]{1,200})[\"“”'`‘’]")
_MATCHING = re.compile(
    r"\b(?:matching|containing|contains?|mention(?:s|ing)?|like|with(?: the words?)?|for|about|grep)\s+(.{1,200})$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Subject:
    """What a question names."""

    services: Sequence[Service] = ()
    resources: Sequence[Resource] = ()
    several: Sequence[str] = ()
    """Names that a part of a name may mean, where it may mean more than one."""
    unknown: str = ""
    """A name that is none here."""
    near: Sequence[str] = ()
    """Names that look like it."""


def intent_of(text: str) -> Intent | None:
    """The first kind of question whose words stand in the text; `metric` too where it names what can be measured."""
    found = next((each for each in INTENTS if each.pattern.search(text)), None)
    measured = next(each for each in INTENTS if each.name == "metric")
    if (found is None or found.name in ("running", "status")) and signals(text):
        return measured
    return found


def signals(text: str) -> tuple[tuple[S, ...], ...]:
    """What is to be measured, by the longest names that stand in the text."""
    left = text
    found = []
    for pattern, meant in _BY_LENGTH:
        taken, times = re.subn(rf"(?<![\w-])(?:{pattern})(?![\w-])", " ", left, flags=re.IGNORECASE)
        if times:
            left = taken
            found.append(meant)
    return tuple(found)


def scope_of(text: str) -> str:
    """`prod` in “what runs in prod”, or ""."""
    found = _SCOPE.search(text)
    return found[1].casefold() if found else ""


def subject_of(text: str, graph: ServiceGraph) -> Subject:
    """The services and resources that a text names, wholly or by a part that only one of them has."""
    lowered = text.casefold()
    services = [each for each in graph if _stands(each.name, lowered)]
    if services:
        return Subject(services=_longest(services))
    resources = [each for service in graph for each in service.resources if _stands(each.name, lowered)]
    if resources:
        best = max(len(each.name) for each in resources)
        return Subject(resources=[each for each in resources if len(each.name) == best][:6])
    spoken = [word for word in re.findall(r"[^\W_][\w.-]{2,80}", lowered) if word.rstrip(".") not in _GRAMMAR]
    parts = {
        each.name: {part for part in re.split(r"[-_./ ]", each.name.casefold()) if len(part) > 2} for each in graph
    }
    partly = [each for each in graph if any(word.rstrip("s.") in parts[each.name] or word in parts[each.name]
                                            for word in spoken)]  # fmt: skip
    names = [each.name for each in graph]
    if len(partly) == 1:
        return Subject(services=partly)
    if partly:
        whole = [each for each in partly if parts[each.name] <= set(spoken)]
        return Subject(services=whole) if len(whole) == 1 else Subject(several=[each.name for each in partly])
    if owned := [each for each in graph if each.owner and _stands(each.owner, lowered)]:
        return Subject(services=owned)
    if found := _KIND.search(text):
        meant = _KINDS[found[1].casefold()]
        having = [each for each in graph if any(resource.type in meant for resource in each.resources)]
        if len(having) == 1 or (having and found[2]):
            return Subject(services=having)
        if having:
            return Subject(several=[each.name for each in having])
    unknown = _unknown(text)
    return Subject(unknown=unknown, near=difflib.get_close_matches(unknown.casefold(), names, n=3, cutoff=0.6))


def _longest(services: Sequence[Service]) -> list[Service]:
    """Without those whose name is a part of another one that stands there: `cart` in `cart-api`."""
    names = {each.name: each.name.casefold() for each in services}
    inside = {name for name, folded in names.items() for other in names.values() if folded != other and folded in other}
    return [each for each in services if each.name not in inside][:4]


def _stands(name: str, lowered: str) -> bool:
    folded = name.casefold()
    return folded in lowered and re.search(rf"(?<![\w-]){re.escape(folded)}(?![\w-])", lowered) is not None


def _unknown(text: str) -> str:
    """What stands where a name would, and is no ordinary word."""
    for found in _NAME.finditer(text):
        word = found[1].rstrip(".:/-?")
        if len(word) > 2 and word.casefold() not in _GRAMMAR and word.casefold() not in SCOPES and not signals(word):
            return word
    return ""


def pattern_of(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """What log lines are to hold: quoted, or after “matching”; none where every line is meant.

    names: those of the subject, which are no part of it.
    """
    if quoted := [each.strip() for each in _QUOTED.findall(text) if each.strip() and each.strip() not in names]:
        return tuple(quoted[:4])
    for name in sorted(names, key=lambda each: -len(each)):
        text = re.sub(rf"(?:\b(?:of|in|from|on|for)\s+)?(?:the\s+)?{re.escape(name)}(?![\w-])", " ", text, flags=re.I)
    found = _MATCHING.search(text)
    wanted = re.sub(r"\b(?:in|of|from) (?:the )?logs?\b", " ", found[1]).strip(" ?.!") if found else ""
    if wanted:
        return (" ".join(wanted.split()),)
    if re.search(r"\b(?:errors?|exceptions?|failures?|stack ?traces?)\b", text, re.IGNORECASE):
        return ("error", "exception", "fatal", "traceback", "panic")
    return ()

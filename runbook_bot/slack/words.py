"""Every word the desk says to people, in one place."""

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.hypothesis import HypothesisState
from runbook_bot.domain.investigation import Remedy
from runbook_bot.domain.vocabulary import FailureMode, Signal

STATUS = {
    "open": ("Investigating", ":mag:"),
    "concluded": ("Root cause found", ":white_check_mark:"),
    "inconclusive": ("Inconclusive", ":grey_question:"),
    "failed": ("Failed", ":warning:"),
    "stopped": ("Stopped", ":octagonal_sign:"),
    "quiet": ("No fault found", ":white_check_mark:"),
}
HYPOTHESIS = {
    HypothesisState.open: ("Not tested yet", ":bulb:"),
    HypothesisState.testing: ("Being tested", ":mag:"),
    HypothesisState.supported: ("Supported", ":white_check_mark:"),
    HypothesisState.pruned: ("Ruled out", ":x:"),
    HypothesisState.inconclusive: ("Undecided", ":grey_question:"),
}
_REMEDY = {
    "open": ("Waits for approval", ":hourglass_flowing_sand:"),
    "approved": ("Approved", ":white_check_mark:"),
    "rejected": ("Rejected", ":x:"),
    "void": ("No longer valid", ":lock:"),
    "running": ("Running", ":gear:"),
    "executed": ("Done, being verified", ":mag:"),
    "failed": ("Did not work", ":warning:"),
    "verified": ("Done and verified", ":white_check_mark:"),
}
_NOT_HELPED = ("Done, and it has not helped", ":warning:")
_UNCONFIRMED = ("Sent, and not confirmed", ":grey_question:")
_UNMEASURED = ("Done", ":grey_question:")
RISK = {
    Risk.low: "low risk",
    Risk.medium: "medium risk",
    Risk.high: "high risk",
    Risk.critical: "critical risk",
}
DIRECTION = {
    Direction.supports: "for",
    Direction.refutes: "against",
    Direction.neutral: "neither way",
    Direction.unknown: "could not be read",
}
_MODE = {
    FailureMode.none: "no fault: the alert is noise",
    FailureMode.io_saturation: "disk I/O saturation",
    FailureMode.cpu_saturation: "CPU saturation",
    FailureMode.dns_failure: "DNS failure",
}
_SIGNAL = {
    Signal.requests: "requests per minute",
    Signal.errors: "errors per minute",
    Signal.latency: "response time (s)",
    Signal.latency_p99: "p99 response time (s)",
    Signal.cpu: "CPU (%)",
    Signal.memory: "memory (%)",
    Signal.throttles: "throttles per minute",
    Signal.connections: "connections",
    Signal.duration: "run time (s)",
    Signal.value: "value",
}


def remedy(of: Remedy) -> tuple[str, str]:
    """The word for where a change stands, and its emoji."""
    if of.state == "executed" and of.outcome is not None and of.outcome.took_effect is None:
        return _UNCONFIRMED
    if of.state == "executed" and of.verified is not None:
        return _NOT_HELPED if of.verified.recovered is False else _UNMEASURED
    return _REMEDY[of.state]


def mode(failure_mode: FailureMode | None) -> str:
    if failure_mode is None:
        return "none of these: a cause nobody here thought of"
    return _MODE.get(failure_mode, failure_mode.value.replace("_", " "))


def signal(of: Signal) -> str:
    return _SIGNAL.get(of, of.value.replace("_", " "))


CONFIDENCE = (
    (0.95, "almost certain"),
    (0.8, "very likely"),
    (0.6, "likely"),
    (0.4, "plausible"),
    (0.2, "possible"),
    (0.0, "unlikely"),
)


def confidence(value: float) -> str:
    """`very likely, 87 %`"""
    word = next(word for floor, word in CONFIDENCE if value >= floor)
    return f"{word}, {round(value * 100)} %"


REFUTED_IF = "What would refute it: if one of these did not hold: {what}"
REFUTED_BY_NOTHING = "What would refute it: nothing that can be asked here"
PROGRESS = "How far it is"
UNTESTED = "without evidence yet"


def bar(value: float) -> str:
    """Ten characters; always beside the number, never instead of it."""
    filled = max(0, min(10, round(value * 10)))
    return "▰" * filled + "▱" * (10 - filled)


def count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def number(value: float) -> str:
    """`212`, `3.4`, `0.042`: three significant digits, no exponent for everyday sizes."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


# What the desk answers -------------------------------------------------------------------------------------------

NOTHING_SAID = "Say what hurts: `investigate checkout is slow`, an incident id such as `PD-12345`, or an alarm's name."
TRIM_NOTE = "Your text was longer than I keep; I work with its first {limit:,} characters."
WRONG_TEAM = "I only work in the workspace I was installed in."
GUEST = "Guests cannot use me here. Please ask a full member of this workspace."
STRANGER = "I only work for members of this workspace; you belong to another one."
SHARED = (
    "This channel is shared with another company, so I do not investigate here. "
    "Please ask in a channel of your own workspace."
)
CANNOT_TELL = "Slack did not tell me who may use me in this channel, so I did nothing. Please try again in a minute."
NOT_YET = "`{verb}` is not something this installation does yet. `/runbook help` lists what it does."
UNKNOWN_WORD = (
    "I do not know `{word}`. `/runbook help` lists what I do; "
    "to look into a problem, say what hurts: `/runbook investigate {word}`."
)
UNKNOWN_VERB = "I do not know `{word}`. Did you mean `{guess}`?"
NO_VERB = (
    "I do not know what to do with “{text}”. Did you mean `{guess}`? "
    "To look into a problem, put `investigate` in front: `/runbook investigate {text}`."
)
SERVICE_UNKNOWN = "I know no service “{name}”. `/runbook ask what is running` lists those that I know."
SERVICE_NEAR = "I know no service “{name}”. Did you mean {near}?"
SERVICE_OWNER = "belongs to {owner}"
SERVICE_NOBODYS = "has no owner that I know of"
SERVICE_NEEDS = "It depends on {names}."
SERVICE_NOTHING = "nothing that I know of"
SERVICE_ALONE = "Nothing that I know of depends on it"
NONE_OPEN_HERE = "No investigation is open in this channel."
NONE_OPEN = "No investigation is open. Start one with `/runbook investigate` and what hurts."
NONE_HERE = "I have not investigated anything in this channel yet."
UNKNOWN_INVESTIGATION = "I know no investigation `{id}`."
UNKNOWN_PROPOSAL = "I do not know this proposal any more, so nothing was done."
UNKNOWN_HYPOTHESIS = "There is no {id} in “{title}”. There are: {known}."
WHICH_HYPOTHESIS = "Which hypothesis of “{title}”? There are: {known}. For example: `why {first}`."
NO_HYPOTHESES = "“{title}” (`{id}`) has no hypotheses so far."
STOPPING = "Stopping “{title}” (`{id}`); what is known so far stays in its thread."
ALREADY_OVER = "“{title}” (`{id}`) has ended already."
LATEST_HERE = "The latest one in this channel: {state}"
STEERED = {
    "dig": "I will dig deeper into {id}.",
    "rule_out": "I take {id} as ruled out by you.",
    "known": "Noted: {id} is what you know it to be.",
}
NOTHING_WAITS = "Nothing waits for approval."
FEEDBACK_HOW = "Tell me whether it helped: `feedback good …` or `feedback bad …`, with a word on why."
FEEDBACK_THANKS = "Thank you. It is kept with `{id}`."
NO_KNOWLEDGE = "This installation has no knowledge base; add runbooks to `runbooks/` and start it again."
KNOWLEDGE_HOW = "Search the runbooks with a few words: `/runbook knowledge search connection pool`."
KNOWLEDGE_NOTHING = "Nothing in the runbooks fits “{text}”."
MAY_APPROVE = "Who may approve it: {who}"
MAY_ANYBODY = "any full member of this channel"
MAY_MORE = "{number} more"
MAY_NOT_ASKER = ", but not {asker}, who asked for it"
MAY_NOBODY = "nobody: no approvers are configured for changes of {risk} risk (`safety.approvers.{risk}`)"
ALONE = "who approved the change ({people}) may approve this alone until {until}"
ROLLBACK_ASKED = "{by} asked to roll this back. That is a change of its own: approve it on its card below."
ROLLBACK_FAILED = "{by} asked to roll it back, and that could not be prepared: {why}."
ROLLBACK_WAITS = "A roll-back of this change is under way already; look for its card in this thread."
ROLLBACK_NOTHING = "There is nothing to roll back: this change was not made, or cannot be undone by itself."
ELSEWHERE = "This button belongs to an investigation in another channel, so nothing was done."
MODAL_FAILED = "Slack could not open the form in time, so nothing was decided. Please press the button again."
REASON_EMPTY = "Please say why, in a few words."
NAME_EMPTY = "Please type the name of the resource."
BROKEN = "Something went wrong on my side and nothing more was done. Quote `{reference}` to whoever runs me."
MOVED = "I can no longer post in {channel} ({why}), so what is left of the investigation “{title}” ({id}) comes here."
ASK_HOW = "Ask me something: `/runbook ask what's running in prod?`, `ask what changed in SERVICE since 10:00`."
NOTHING_TESTED = "It was stopped before anything was tested, so no cause can be named."
LOOKING = ":mag: Looking… The answer comes here in a moment."
LOOKING_STATUS = "is looking…"
ASK_CUT = "There is more than fits here; ask more narrowly, or in the terminal: `runbook-bot ask`."
ASK_UNSEEN = ":warning: Not seen: {what}"
ASK_SOURCES = "Asked: {sources}"
ASK_CONSOLE = "console"
HERE_IS_WHAT_I_CAN = (
    "I can answer from this investigation: `why H2`, `summary`, `status`, `stop`; what runs, what changed, logs and "
    "metrics: `ask …`; `investigate …` for a new one, or `help`."
)
IN_SHORT = "I do not know how to answer that; this is where it stands. {state}"

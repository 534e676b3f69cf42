"""Every word an answer says to people, in one place."""

CAN = (
    "“what's running in prod?”",
    "“status of SERVICE”",
    "“what changed in SERVICE since 10:00”",
    "“show errors of SERVICE in the last 2 hours”",
    "“logs of SERVICE matching ‘timeout’”",
    "“who owns SERVICE”",
    "“what does SERVICE depend on”",
    "“what is in alarm”",
    "“what does the runbook say on …”",
    "in an investigation's thread “why was H2 pruned”",
)
NOTHING_ASKED = "You did not ask anything. I can answer: {can}."
NOT_UNDERSTOOD = "I do not know how to answer that. I can answer: {can}."
NOTHING_FITS = "None of the questions that can be asked fits these words; `runbook-bot aws --list` has them all."
NEAREST = "The nearest of what can be asked of the cloud: {routes}."
UNCLEAR = "That may mean several things. Ask for one of them: {routes}."
LACKING = "I take that for “{phrase}”, and it needs {missing}."
LEFT_OUT = "{count} more resources fit and were not asked about; name one to see it."
UNKNOWN_NAME = "I know no service or resource called “{name}”."
DID_YOU_MEAN = "Did you mean {names}?"
KNOWN = "I know: {names}."
NO_SERVICES = "I know no services: none are written in services.yaml, and discovery found none."
WHICH = "Which one do you mean: {names}?"
SAY_WHICH = "Say of which service, for example: “{example}”."
NO_CASE = "Ask that in the thread of an investigation: I do not know which one you mean."
NO_HYPOTHESIS = "There is no {id} in “{title}”. There are: {known}."
NO_KNOWLEDGE = "There is no knowledge base: add runbooks to `runbooks/`."
NOTHING_WRITTEN = "Nothing in the runbooks and post-mortems fits “{text}”."
NO_ONCALL = "nobody is named as on call (`oncall` in services.yaml)"
NO_OWNER = "Nobody is named as the owner of {name}: neither services.yaml nor its tags say one."
ONE_BY_ONE = "Ask for one of them, for example “status of {name}”, to see what moved and what was changed last."
UNREAD = "could not be read"
UNREAD_CHANGES = "The changes {span} could not be read."
LATE = "The answer did not come within {seconds:.0f} seconds; what was seen until then is below."
TOO_LONG = "Your question had {length:,} characters; I read the first {limit:,}."
NO_VENDOR = "everything that runs: no system is connected that could be asked; `runbook-bot doctor` says how"
NOT_KEPT = "This answer could not be kept in the record: {why}."
ONLY_TAGGED = "Only what has {scope} in its name or cluster, and what that depends on."
NOT_TAGGED = "Nothing is named “{scope}” here, so this is everything that can be seen."


def listed(items: list[str], most: int = 8, last: str = "and") -> str:
    """`a, b and c`; of many the first few and how many more."""
    shown = items[:most]
    if len(items) > most:
        return f"{', '.join(shown)} and {len(items) - most} more"
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"

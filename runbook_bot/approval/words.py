"""What the gate says to people: to the person who pressed, and on the card."""

from datetime import datetime, timedelta

UNKNOWN = "I know of no such proposal in this investigation."
OTHER_TEAM = "This proposal belongs to another workspace."
ELSEWHERE = "That is not the card of this proposal. Please use the one in the investigation's own thread."
EXPIRED = "This proposal has expired; nothing was changed. For a fresh one, investigate again."
SUPERSEDED = "The verdict has changed since this was proposed, so this proposal is void; nothing was changed."
CHANGED = "What would run is not what was proposed, so this proposal is void; nothing was changed."
NO_APPROVERS = "Nobody is configured to approve changes of {risk} risk (safety.approvers.{risk}), so the answer is no."
DIRECTORY = "Slack could not tell me who you are ({error}), so the answer is no for now. Please try again."
NO_DIRECTORY = "There is no directory of people here, so nobody can approve."
NOT_MEMBER = "Only full members of this workspace may decide this: no guests, bots, or people of other workspaces."
NOT_ALLOWED = "You are not among the approvers for changes of {risk} risk."
NOT_IN_CHANNEL = "You have to be in the incident's channel to decide this."
SELF_APPROVAL = "You asked for this, so somebody else has to approve it."
WRONG_NAME = "A critical change needs the name of its target typed exactly: {name}."
ALREADY_COUNTED = "Your approval counts already; {missing} more from somebody else."
NO_REASON = "Please say why, so that the next person knows."
LIMIT = "This investigation has made {count} changes, which is its limit (safety.max_mutations_per_session)."
COOLDOWN = "Another critical change was approved moments ago. Please wait {seconds} s and press again."
DRIFTED = "The world has changed since this was proposed ({what}), so it is void; nothing was changed."
UNREADABLE = "I cannot read the present state of the target ({error}), so the answer is no for now. Please try again."
LOST = "It was approved and may no longer run, so it is void; nothing was changed. {why}"
FEWER = (
    "Somebody who approved it may no longer do so, so it is void; nothing was changed. "
    "For a fresh one, investigate again."
)
DECIDED = {
    "approved": "This was approved already. One approval runs it once.",
    "rejected": "This was rejected already.",
    "void": "This proposal is void.",
    "spent": "This has been run already.",
}
NO_OPERATION = "{operation} is not among the changes that can be made here: {operations}"

LOOKED = {
    True: "It took effect, though the process ended before it could say so.",
    False: (
        "It did not take effect: the process ended first. It is not tried again by itself; "
        "for a fresh proposal, investigate again."
    ),
    None: "The process ended while it ran, and whether it took effect cannot be told. Please look before going on.",
}
NO_ANSWER = {
    True: "{error}. It took effect all the same.",
    False: "{error}. It did not take effect.",
    None: "{error}. Whether it took effect cannot be told. Please look before going on.",
}
TOO_LATE = NO_ANSWER | {
    False: "{error}. Nothing is to be seen of it yet, and it may still come. Please look before going on.",
}


def frozen(until: datetime, reason: str) -> str:
    return f"Nothing is changed until {until:%Y-%m-%d %H:%M} UTC: {reason}."


def cooldown(left: timedelta) -> str:
    return COOLDOWN.format(seconds=max(1, round(left.total_seconds())))

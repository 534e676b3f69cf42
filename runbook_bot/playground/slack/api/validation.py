"""blocks.validate: the only method that needs no token."""

from runbook_bot.playground.slack.api.method import SPECIAL, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.blockkit import validate, validate_view
from runbook_bot.playground.slack.json_value import Json


def _validate(_: Desk, args: Arguments) -> Json:
    given = [name for name in ("blocks", "message", "view") if args.has(name)]
    if len(given) != 1:
        raise Refused.because("invalid_arguments", ["must provide exactly one of `blocks`, `view`, or `message`"])
    value = args.value(given[0])
    if given[0] == "view":
        faults = validate_view(value, "")
    elif given[0] == "blocks":
        faults = validate(value, "message", "")
    else:
        faults = validate(value.get("blocks", []) if isinstance(value, dict) else None, "message")
    if faults:
        raise Refused(f"invalid_{given[0]}", errors=[_fault(one) for one in faults])
    return {}


def _fault(line: str) -> Json:
    message, _, pointer = line.rpartition(" [json-pointer:")
    return {"code": "failed_constraint", "message": message, "pointer": pointer.removesuffix("]")}


METHODS = {"blocks.validate": Method(_validate, SPECIAL, by="anyone")}

"""What a load balancer does with a request, in words: conditions, actions and their weights."""

from collections.abc import Callable, Sequence

from runbook_bot.providers.aws.elb import group_dimension, name_in
from runbook_bot.providers.aws.place import Answer

_BAD = 500


def group_name(arn: str) -> str:
    """The name of a target group, from its ARN."""
    return name_in(group_dimension(arn))


def weights(actions: Sequence[Answer]) -> dict[str, int | None]:
    """ARN and weight of every target group that is forwarded to; no weight where there is but one."""
    found: dict[str, int | None] = {}
    for action in actions:
        groups: list[Answer] = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        for each in groups:
            found[str(each.get("TargetGroupArn"))] = each.get("Weight") if len(groups) > 1 else None
        if not groups and action.get("TargetGroupArn"):
            found[str(action["TargetGroupArn"])] = None
    return found


def actions_in_words(actions: Sequence[Answer]) -> str:
    """E.g. `90 % to checkout-blue, 10 % to checkout-green`; several in their order."""
    ordered = sorted(actions, key=lambda each: each.get("Order") or 0)
    return ", then ".join(_action(each) for each in ordered)


def _action(action: Answer) -> str:
    kind = str(action.get("Type", ""))
    match kind:
        case "forward":
            return _forward(action)
        case "redirect":
            return _redirect(action.get("RedirectConfig") or {})
        case "fixed-response":
            return f"answers {(action.get('FixedResponseConfig') or {}).get('StatusCode', '?')} itself"
        case "authenticate-oidc":
            return f"signs in at {(action.get('AuthenticateOidcConfig') or {}).get('Issuer', '?')}"
        case "authenticate-cognito":
            pool = str((action.get("AuthenticateCognitoConfig") or {}).get("UserPoolArn", "?"))
            return f"signs in at the user pool {pool.rpartition('/')[2]}"
        case "jwt-validation":
            return f"wants a token of {(action.get('JwtValidationConfig') or {}).get('Issuer', '?')}"
    return kind


def _forward(action: Answer) -> str:
    found = weights([action])
    total = sum(weight or 0 for weight in found.values())
    if len(found) < 2:
        return "to " + (group_name(next(iter(found))) if found else "nothing")
    if total == 0:
        return "nowhere: every weight is 0 (" + ", ".join(map(group_name, found)) + ")"
    heaviest = sorted(found.items(), key=lambda each: -(each[1] or 0))
    return ", ".join(f"{100.0 * (weight or 0) / total:.3g} % to {group_name(arn)}" for arn, weight in heaviest)


def _redirect(told: Answer) -> str:
    code = str(told.get("StatusCode", "")).removeprefix("HTTP_")
    protocol, host = str(told.get("Protocol", "#{protocol}")).lower(), told.get("Host", "#{host}")
    path = told.get("Path", "/#{path}")
    return f"redirects ({code}) to {protocol}://{host}:{told.get('Port', '#{port}')}{path}"


def to_https(actions: Sequence[Answer]) -> bool:
    """Whether all that is done is to send people to the encrypted port."""
    configs = [each.get("RedirectConfig") or {} for each in actions]
    return bool(configs) and all(str(each.get("Protocol", "")).upper() == "HTTPS" for each in configs)


def answers_errors(actions: Sequence[Answer]) -> bool:
    """Whether it answers with a server error by itself, as maintenance pages do."""
    codes = [str((each.get("FixedResponseConfig") or {}).get("StatusCode", "")) for each in actions]
    return any(code.isdecimal() and int(code) >= _BAD for code in codes)


_VALUES: dict[str, tuple[str, str]] = {
    "host-header": ("host", "HostHeaderConfig"),
    "path-pattern": ("path", "PathPatternConfig"),
    "http-request-method": ("method", "HttpRequestMethodConfig"),
    "source-ip": ("from", "SourceIpConfig"),
}
_HIDING: dict[str, Callable[[Answer], str]] = {
    # the value of a header or a parameter is often a shared secret, as between CloudFront and its origin
    "http-header": lambda told: f"header {(told.get('HttpHeaderConfig') or {}).get('HttpHeaderName', '?')} has a value",
    "query-string": lambda told: (
        "parameter "
        + " or ".join(str(e.get("Key") or "any") for e in (told.get("QueryStringConfig") or {}).get("Values") or [])
    ),
}


def conditions_in_words(conditions: Sequence[Answer]) -> str:
    """E.g. `host shop.example.com and path /api/*`; values of headers and parameters are left out."""
    return " and ".join(_condition(each) for each in conditions) or "everything else"


def _condition(told: Answer) -> str:
    field = str(told.get("Field", ""))
    if field in _HIDING:
        return _HIDING[field](told)
    word, key = _VALUES.get(field, (field, ""))
    config: Answer = told.get(key) or {}
    values = config.get("Values") or told.get("Values") or config.get("RegexValues") or told.get("RegexValues") or []
    return f"{word} " + " or ".join(str(each) for each in values)

"""What goes wrong by what people change: new code, new settings, a limit somebody lowered."""

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.story import Story, alarm, complaint, failing, family, slow, slowness
from runbook_bot.evaluation.worlds.town import Town

_EXCEPTIONS = (
    "NullReferenceException: Object reference not set to an instance of an object in OrderMapper.Map",
    "TypeError: Cannot read properties of undefined (reading 'currency')",
    "java.lang.IllegalStateException: Duplicate key in Collectors.toMap",
    "panic: runtime error: index out of range [3] with length 3",
    "KeyError: 'delivery_slot'",
    "NoMethodError: undefined method `amount_cents' for nil",
    "thread 'worker' panicked at 'called `Option::unwrap()` on a `None` value'",
    "System.InvalidCastException: Unable to cast object of type 'Int64' to type 'Int32'",
    "AttributeError: 'NoneType' object has no attribute 'tariff'",
    "ClassCastException: class java.lang.String cannot be cast to class java.math.BigDecimal",
)
_SLOW = (
    "rendering took <slow> ms, budget 300 ms",
    "query plan cache cold, <slow> ms for <path>",
    "loaded <n> rows to answer <path>, <slow> ms",
    "serialised <n> objects in <slow> ms",
    "n+1 guard: <n> statements for one request, <slow> ms",
    "recomputed <n> entries for one answer in <slow> ms",
)
_SETTINGS = (
    ("SEARCH_MODE", "classic", "hybrid2", "unknown SEARCH_MODE 'hybrid2', request rejected"),
    ("CURRENCY_TABLE", "ecb-v3", "ecb-v4", "currency table 'ecb-v4' has no rate for this request"),
    ("MAX_ITEMS", "200", "2", "more than MAX_ITEMS=2 items, request refused"),
    ("TOKEN_AUDIENCE", "internal", "internal-next", "token audience mismatch: expected internal-next"),
    ("TEMPLATE_DIR", "/srv/templates", "/srv/tmpl", "template not found: /srv/tmpl/default.html"),
    ("UPSTREAM_PATH", "/v2", "/v3", "upstream answered 404 for /v3/<id>"),
    ("PAGE_FORMAT", "json", "cbor", "cannot decode body: unexpected byte 0xa2, format cbor"),
    ("SIGNATURE_ALG", "HS256", "RS256", "signature check failed: key is not an RSA key"),
)
_FUNCTION_ERRORS = (
    "Runtime.ImportModuleError: Unable to import module 'app': No module named 'dateparse'",
    "ValueError: unconverted data remains: +00:00",
    "KeyError: 'Records'",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "Runtime.HandlerNotFound: app.handler is undefined or not exported",
    "AttributeError: module 'settings' has no attribute 'BUCKET'",
)


@family("deploy-errors", "bad_deployment")
def deploy_errors(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 3))
    victim, share = names[-1], town.dice.between(0.12, 0.4)
    town.deploy(victim, town.onset + town.dice.between(0.4, 2.0))
    town.fails(victim, share)
    town.says(victim, town.dice.word(_EXCEPTIONS), rate=24)
    town.spreads(victim, share)
    hurt = town.dice.any(names)
    seen = share * 0.7 ** (len(names) - 1 - names.index(hurt))
    return Story(
        town,
        FailureMode.bad_deployment,
        victim,
        alarm=failing(town, hurt, seen),
        question=complaint(town, names[0]),
        fault={"rise": "45s"},
    )


@family("deploy-slow", "bad_deployment")
def deploy_slow(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, factor = names[-1], town.dice.between(6, 15)
    town.deploy(victim, town.onset + town.dice.between(0.4, 2.0))
    town.slows(victim, factor)
    town.moves(f"ecs_service:{victim}", "CPUUtilization", times=1.35)
    town.says(victim, town.dice.word(_SLOW), rate=16, level="WARN")
    town.spreads(victim, 0.0, factor)
    seen = factor if len(names) == 1 else 1 + (factor - 1) * 0.6 ** (len(names) - 1)
    return Story(
        town,
        FailureMode.bad_deployment,
        victim,
        alarm=slow(town, names[0], seen),
        question=slowness(town, names[0]),
        fault={"rise": "45s"},
    )


@family("function-release", "bad_deployment")
def function_release(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    name, invocations = f"{town.names[-1]}-fn", town.dice.between(500, 2500)
    town.function(name, [], invocations=invocations)
    town.needs(names[-1], name)
    town.call("lambda", "UpdateFunctionCode", town.onset + 0.6, {"FunctionName": name}, by=town.robot)
    share = town.dice.between(0.3, 0.9)
    broken(town, name, invocations * share)
    town.says(name, town.dice.word(_FUNCTION_ERRORS), rate=20)
    town.spreads(name, share * 0.5)
    return Story(
        town,
        FailureMode.bad_deployment,
        name,
        alarm=alarm(f"{name}-errors", f"lambda_function:{name}", "Errors", 10 + invocations * share * 0.2, "Sum"),
        question=complaint(town, names[0]),
        fault={"rise": "20s"},
    )


@family("setting-task", "configuration_change")
def setting_task(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, share = names[-1], town.dice.between(0.15, 0.5)
    key, before, after, complains = town.dice.word(_SETTINGS)
    town.resource(victim)["environment"][key] = before
    town.everyday()
    town.deploy(victim, town.onset + town.dice.between(0.4, 1.6), by=town.person, environment={key: after})
    town.fails(victim, share)
    town.says(victim, complains, rate=24)
    town.spreads(victim, share)
    return Story(
        town,
        FailureMode.configuration_change,
        victim,
        alarm=failing(town, names[0], share * 0.7 ** (len(names) - 1)),
        question=complaint(town, names[0]),
        fault={"rise": "30s"},
    )


@family("function-timeout", "configuration_change", unfit=("faint",))
def function_timeout(town: Town) -> Story:
    names = town.chain(0)
    name, invocations = f"{town.names[-1]}-fn", town.dice.between(400, 1500)
    limit = town.dice.any((2, 3))
    vitals = {"Invocations": round(invocations), "Duration": round(limit * 1000 * town.dice.between(0.7, 0.85))}
    town.function(name, [], invocations=invocations, timeout=30, vitals=vitals)
    town.needs(names[-1], name)
    release = {"kind": "release_function", "at": town.ago(town.onset + 0.5), "actor": town.person}
    town.changes.append({**release, "function": name, "timeout": limit})
    share = town.dice.between(0.2, 0.5)
    broken(town, name, invocations * share)
    town.moves(f"lambda_function:{name}", "Duration", times=0.85)
    town.writes(
        f"lambda_function:{name}", f"<ts> <uuid> Task timed out after {limit}.0<few> seconds", rate=invocations * 0.02
    )
    town.spreads(name, share * 0.6)
    return Story(
        town,
        FailureMode.configuration_change,
        name,
        alarm=alarm(f"{name}-errors", f"lambda_function:{name}", "Errors", 10 + invocations * share * 0.2, "Sum"),
        question=complaint(town, names[0]),
        fault={"rise": "20s"},
    )


def broken(town: Town, function: str, errors: float) -> None:
    """So many more invocations of a function fail, per minute."""
    town.moves(f"lambda_function:{function}", "Errors", add=round(errors * town.strength, 1))

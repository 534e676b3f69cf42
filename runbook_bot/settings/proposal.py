"""A services.yaml proposed from what was discovered, and what it would add to the one that is there."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import yaml

from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.settings.services import NEEDS

RUNNING = frozenset({
    R.ecs_service, R.lambda_function, R.ec2_instance, R.autoscaling_group, R.load_balancer, R.api_gateway,
    R.amplify_app, R.eks_cluster, R.kubernetes_workload,
})  # fmt: skip
MARK = "# Proposed by `runbook-bot init`"
"""How a file begins that may be written anew."""
TEMPLATES = ("ecs-rds", "serverless", "enterprise")
_SAID = ("owner", "group", "slack_channel", "oncall", "tier", "repository")


def template(name: str) -> tuple[str, str]:
    """The config.yaml and the services.yaml to begin with, for those who have nothing to discover yet."""
    config = "config-enterprise.yaml" if name == "enterprise" else "config.yaml"
    return _text(config), f"{_text('services-head.yaml')}\n{_text(f'services-{name}.yaml')}"


def config(regions: Sequence[str]) -> str:
    """The config.yaml to begin with, for these regions."""
    before, after = "regions: [us-east-1]          #", f"regions: {_flow(list(regions))}   #"
    return _text("config.yaml").replace(before, after) if regions else _text("config.yaml")


def services(graph: ServiceGraph, dated: str) -> str:
    """The file as text: what runs and what it calls, each dependency with how it was found, guesses as comments."""
    kept, left = chosen(graph)
    names = {each.name for each in kept}
    lines = [f"{MARK} from what was discovered, {_comment(dated)}. Correct it; it is yours."]
    lines += [f"# Not seen: {_comment(f'{look.place}: {each}')}" for look in graph.looks for each in look.unseen]
    if left:
        lines.append(f"# Left out, because nothing is known to call them: {_comment(', '.join(left))}")
    lines += ["", _text("services-head.yaml"), "services:" if kept else "services: []"]
    for each in kept:
        lines += [*_service(each, graph, names), ""]
    return "\n".join(lines).rstrip() + "\n"


def chosen(graph: ServiceGraph) -> tuple[list[Service], list[str]]:
    """What belongs into the file, what runs first; and the names of what keeps data and is called by nobody."""
    called = {name for each in graph for name in each.depends_on}
    kept: dict[str, Service] = {}
    left: list[str] = []
    for each in graph:
        if not each.name.strip() or each.name.casefold() in kept:
            continue
        if each.name in called or each.depends_on or _runs(each) or not each.resources:
            kept[each.name.casefold()] = each
        else:
            left.append(each.name)
    return sorted(kept.values(), key=lambda each: (not _runs(each), each.name.casefold())), left


def additions(written: ServiceGraph, merged: ServiceGraph) -> list[str]:
    """What discovery would add to the file, a line each; guesses are not counted."""
    lines = []
    for each in chosen(merged)[0]:
        mine = written.service(each.name)
        if mine is None:
            lines.append(f"+ {each.name}: {_summary(each)}")
            continue
        lines += [
            f"+ {each.name} depends on {called}{_reason(merged, each.name, called)}"
            for called in each.depends_on
            if called not in mine.depends_on and not merged.guessed(each.name, called)
        ]
        known = {resource.key for resource in mine.resources}
        lines += [f"+ {each.name} has {resource.key}" for resource in each.resources if resource.key not in known]
    return lines


def _summary(service: Service) -> str:
    calls = f", depends on {', '.join(service.depends_on)}" if service.depends_on else ""
    return f"{', '.join(resource.key for resource in service.resources) or 'no resources'}{calls}"


def _reason(graph: ServiceGraph, caller: str, called: str) -> str:
    found = graph.reasons(caller, called)
    return f" ({found[0].found})" if found else ""


def _runs(service: Service) -> bool:
    return any(resource.type in RUNNING for resource in service.resources)


def _service(service: Service, graph: ServiceGraph, names: set[str]) -> Iterator[str]:
    yield f"  - name: {_flow(service.name)}"
    for key in _SAID:
        value = getattr(service, key)
        if value:
            yield f"    {key}: {_flow(value)}"
        elif key == "owner" and _runs(service):
            yield "    # owner:                  # the team; no tag says it"
    calls = [name for name in service.depends_on if name != service.name]
    sure = [name for name in calls if not graph.guessed(service.name, name)]
    if sure:
        yield "    depends_on:"
        yield from (f"      - {_flow(name)}{_how(graph, service.name, name, names)}" for name in sure)
    for name in calls:
        if name not in sure:
            yield f"    # perhaps it also calls {_comment(_flow(name))}{_how(graph, service.name, name, names)}"
    resources = [each for each in service.resources if all(getattr(each, need) for need in NEEDS.get(each.type, ()))]
    if resources:
        yield "    resources:"
        yield from (f"      - {_flow(_fields(each))}" for each in resources)


def _how(graph: ServiceGraph, caller: str, called: str, names: set[str]) -> str:
    found = ", ".join(edge.found for edge in graph.reasons(caller, called)[:2])
    elsewhere = "" if called in names else "not in this file"
    words = "; ".join(part for part in (found, elsewhere) if part)
    return f"   # {_comment(words)}" if words else ""


def _fields(resource: Resource) -> dict[str, Any]:
    told = resource.model_dump(mode="json", exclude_defaults=True)
    order = ("type", "cluster", "namespace", "kind", "name")
    return {key: told[key] for key in order if key in told} | {k: v for k, v in told.items() if k not in order}


def _flow(value: Any) -> str:
    """One line of YAML, keys in the order given; whatever stands in a name, it is read back as it was."""
    texts = [str(each) for each in (value.values() if isinstance(value, dict) else [value])]
    readable = "".join(texts).isprintable()  # PyYAML folds some line ends that are not ASCII, unless it escapes them
    dumped = yaml.safe_dump([value], default_flow_style=True, allow_unicode=readable, sort_keys=False, width=1_000_000)
    return dumped.strip()[1:-1]


def _comment(text: str) -> str:
    """Text from outside on one line: nothing in it ends the comment."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _text(name: str) -> str:
    return (files("runbook_bot.settings") / "templates" / name).read_text(encoding="utf-8")

"""Which event of CloudTrail is about which resource: made to it, or to something that it stands on."""

from collections.abc import Iterator
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.cloudtrail import TrailEvent
from runbook_bot.providers.aws.related import Footing
from runbook_bot.providers.aws.task_definitions import short_name
from runbook_bot.providers.aws.timeline.arn_names import names_in
from runbook_bot.providers.aws.timeline.documents import records
from runbook_bot.providers.aws.trail_names import SOURCES

NOTHING = Footing()
_SHORT = 4
_SUBJECTS = {
    "ec2.amazonaws.com": (
        "groupid", "groupname", "routetableid", "networkaclid", "subnetid", "vpcendpointid", "vpcendpointids",
        "natgatewayid", "instanceid", "instanceids", "instancesset", "volumeid", "networkinterfaceid",
        "launchtemplateid", "launchtemplatename", "associationid",
    ),
    "iam.amazonaws.com": ("rolename", "policyarn", "instanceprofilename", "username"),
    "rds.amazonaws.com": (
        "dbparametergroupname", "dbclusterparametergroupname", "dbsubnetgroupname", "optiongroupname",
        "dbclusteridentifier", "dbinstanceidentifier",
    ),
    "elasticache.amazonaws.com": (
        "cacheparametergroupname", "cachesubnetgroupname", "replicationgroupid", "cacheclusterid",
    ),
    "ecs.amazonaws.com": ("cluster", "capacityprovider"),
    "lambda.amazonaws.com": ("layername",),
    "autoscaling.amazonaws.com": ("launchconfigurationname",),
    "eks.amazonaws.com": (),
}  # fmt: skip
"""Parameters that say what an event is made to. In other services' events every name counts."""
_REFERS = {
    "rds.amazonaws.com": ("group", "cluster"),
    "elasticache.amazonaws.com": ("group", "cluster"),
    "ecs.amazonaws.com": ("cluster", "capacityprovider"),
}
"""Services whose events name shared things in passing: what their own name has to say to be about such a thing."""
_BY_PATH = ("ssm.amazonaws.com", "secretsmanager.amazonaws.com")


def through(event: TrailEvent, resource: Resource, footing: Footing) -> str | None:
    """ "" where the resource itself was changed, else the shared thing that was; None where neither was."""
    if made_to(event, resource):
        return ""
    if event.name == "ChangeResourceRecordSets":
        return _record(event, footing)
    shared = _subjects(event) & footing.things.keys()
    if shared:
        return footing.things[min(shared)]
    return _by_path(event, resource)


def made_to(event: TrailEvent, resource: Resource) -> bool:
    """Whether the event changed the resource itself."""
    own = SOURCES.get(event.source)
    if own is not None and resource.type in own:
        if resource.type is R.ecs_service and not _same_cluster(event, resource):
            return False
        if event.name == "RunTask":
            return False
        return resource.name in event.names or f"function:{resource.name}" in event.names
    if event.source == "lambda.amazonaws.com" and event.name.endswith("EventSourceMapping"):
        return resource.name in {*event.names, *names_in(event.answer)}
    if event.source in _SUBJECTS:
        return own is None and resource.name in _subjects(event)
    return own is None and resource.name in event.names


def _same_cluster(event: TrailEvent, resource: Resource) -> bool:
    cluster = event.parameters.get("cluster")
    return cluster is None or short_name(str(cluster)) == (resource.cluster or "default")


def _subjects(event: TrailEvent) -> frozenset[str]:
    keys = _SUBJECTS.get(event.source)
    if keys is None:
        return event.names
    said = event.name.lower()
    if not any(word in said for word in _REFERS.get(event.source, ("",))):
        return frozenset()
    return frozenset(_under(event.parameters, keys))


def _under(value: Any, keys: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    """The names that stand under one of these keys; not those of rules, which name the other side."""
    if not isinstance(value, dict) or depth > 2:
        return
    for key, each in value.items():
        lowered = str(key).lower()
        if lowered in keys:
            yield from names_in(each)
        elif lowered not in ("ippermissions", "securitygrouprule"):
            yield from _under(each, keys, depth + 1)


def _record(event: TrailEvent, footing: Footing) -> str | None:
    for _, record, target in records(event.parameters):
        name = record.partition(" ")[0].lower()
        if name in footing.hosts or any(word.strip(",").lower() in footing.hosts for word in target.split()):
            return f"record {record}"
    return None


def _by_path(event: TrailEvent, resource: Resource) -> str | None:
    """A parameter or a secret in whose path the resource's name stands, as in `/prod/checkout-api/pool-size`."""
    if event.source not in _BY_PATH or len(resource.name) < _SHORT or resource.type not in (
        R.ecs_service, R.lambda_function, R.ec2_instance, R.autoscaling_group,
    ):  # fmt: skip
        return None
    what = "parameter" if event.source.startswith("ssm") else "secret"
    named = next((name for name in sorted(event.names) if resource.name in name.split("/")[:-1]), None)
    return f"{what} {named} (by its name)" if named else None

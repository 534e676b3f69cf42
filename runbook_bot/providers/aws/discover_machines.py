"""Discovers machines: Auto Scaling groups, and instances that are in none and have a name or something before them."""

from collections.abc import Collection, Mapping, Sequence

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, handles_of, labels, service_name, tags_of
from runbook_bot.providers.aws.elb import group_dimension, name_in
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer

MOST_GROUPS = 1000
MOST_INSTANCES = 2000
MOST_OF_ONE_NAME = 10
_BELONGS = ("aws:autoscaling:groupName", "eks:nodegroup-name", "aws:eks:cluster-name")


async def scaling_groups(look: Looking) -> list[Found]:
    """Raises `CallFailed` where they cannot be listed."""
    listed = await look.listed("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", MOST_GROUPS, page=100)
    return [_group(each) for each in listed]


def _group(told: Answer) -> Found:
    name, tags = str(told.get("AutoScalingGroupName", "")), tags_of(told.get("Tags"))
    targets = [str(arn) for arn in told.get("TargetGroupARNs") or []]
    instances = [str(each.get("InstanceId", "")) for each in told.get("Instances") or []]
    return Found(
        name=service_name(tags, name),
        resources=(
            Resource(type=R.autoscaling_group, name=name),
            *(Resource(type=R.target_group, name=name_in(group_dimension(arn))) for arn in targets),
        ),
        handles=handles_of([told.get("AutoScalingGroupARN"), *targets, *instances]),
        labels=labels(tags),
    )


def wanted(look: Looking, behind: Mapping[str, Sequence[str]], known: Collection[str]) -> bool:
    """Whether instances are worth a call: one has tags, or is behind a target group and in no scaling group."""
    targets = {target for ids in behind.values() for target in ids if target.startswith("i-")}
    return bool(targets - set(known)) or any(":instance/" in arn and ":ec2:" in arn for arn in look.tags)


async def instances(look: Looking, behind: Mapping[str, Sequence[str]]) -> list[Found]:
    """Raises `CallFailed` where they cannot be listed."""
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping"]}]
    reservations = await look.listed(
        "ec2", "DescribeInstances", "Reservations", MOST_INSTANCES, page=500, Filters=running
    )
    groups: dict[str, list[str]] = {}
    for group, ids in behind.items():
        for id in ids:
            groups.setdefault(id, []).append(group)
    found: dict[str, list[Found]] = {}
    for told in (each for reservation in reservations for each in reservation.get("Instances") or []):
        one = _instance(told, groups.get(str(told.get("InstanceId")), []))
        if one is not None:
            found.setdefault(one.name, []).append(one)
    return [each for same in found.values() for each in same[:MOST_OF_ONE_NAME]]


def _instance(told: Answer, groups: Sequence[str]) -> Found | None:
    id, tags = str(told.get("InstanceId", "")), tags_of(told.get("Tags"))
    name = service_name(tags, tags.get("Name", ""))
    if any(tag in tags for tag in _BELONGS) or not (name or groups):
        return None
    return Found(
        name=name or id,
        resources=(
            Resource(type=R.ec2_instance, name=id),
            *(Resource(type=R.target_group, name=name_in(group_dimension(arn))) for arn in groups),
        ),
        handles=handles_of(
            [id, *groups, told.get("PrivateIpAddress"), told.get("PrivateDnsName"), told.get("PublicDnsName")]
        ),
        firewall=frozenset(str(each.get("GroupId")) for each in told.get("SecurityGroups") or []),
        labels=labels(tags),
    )

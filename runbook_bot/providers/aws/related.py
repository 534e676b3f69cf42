"""What a resource stands on: its roles, firewalls, networks, parameters and secrets, and the hosts it calls."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import read_function
from runbook_bot.providers.aws.dimensions import cache_nodes
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.elb import load_balancer, target_group
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_instance
from runbook_bot.providers.aws.task_definitions import read_revision
from runbook_bot.providers.aws.timeline.arn_names import arn_names, tail

_HOST = re.compile(r"(?<![\w.-])(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+(?![\w-])", re.IGNORECASE)
_ARN = re.compile(r"arn:[\w-]+:(secretsmanager|ssm|kms|sqs|sns|s3|dynamodb|kinesis):[^\s\"',;]*")
_WORDS = {"secretsmanager": "secret", "ssm": "parameter", "kms": "key", "sqs": "queue", "sns": "topic", "s3": "bucket",
          "dynamodb": "table", "kinesis": "stream"}  # fmt: skip


@dataclass(frozen=True)
class Footing:
    """Names a change may be made under and still be about the resource."""

    things: Mapping[str, str] = field(default_factory=dict)
    """A name to what it is: `sg-1` → `security group sg-1`."""
    roles: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    """Lower-case host names: its own, and those that stand in its configuration."""
    own_hosts: frozenset[str] = frozenset()
    """By which others reach it."""
    arns: Mapping[str, str] = field(default_factory=dict)
    """The name of a secret or a parameter to its ARN or name, as it is asked for."""

    def with_things(self, more: Mapping[str, str]) -> "Footing":
        return replace(self, things={**self.things, **more})


def footing(
    *,
    groups: Iterable[Any] = (),
    subnets: Iterable[Any] = (),
    roles: Iterable[Any] = (),
    others: Mapping[str, Any] | None = None,
    texts: Iterable[Any] = (),
    hosts: Iterable[Any] = (),
) -> Footing:
    """Of what a describe call tells.

    others: what a thing is to its name or ARN, e.g. `{"parameter group": "small"}`.
    texts: values of the configuration, in which hosts and ARNs are looked for.
    """
    things: dict[str, str] = {}
    role_names = tuple(dict.fromkeys(tail(each) or str(each) for each in roles if each))
    for what, names in (("security group", groups), ("subnet", subnets), ("role", role_names)):
        things |= {str(name): f"{what} {name}" for name in names if name}
    for what, name in (others or {}).items():
        things |= {each: f"{what.partition('#')[0]} {each}" for each in (arn_names(str(name or "")) or [name]) if each}
    arns: dict[str, str] = {}
    own = frozenset(str(host).lower() for host in hosts if host)
    found = set(own)
    for text in texts:
        for match in _ARN.finditer(str(text or "")):
            for name in arn_names(match.group(0).rstrip(":")):
                things[name] = f"{_WORDS[match.group(1)]} {name}"
                arns |= {name: match.group(0)} if match.group(1) in ("secretsmanager", "ssm") else {}
        found |= {host.lower() for host in _HOST.findall(str(text or ""))[:20]}
    return Footing(things, role_names, tuple(str(each) for each in subnets if each), frozenset(found), own, arns)


async def footing_of(place: Place, resource: Resource) -> Footing:
    """Nothing where it cannot be read: whoever reads the resource itself tells of the failure."""
    try:
        return await _read(place, resource)
    except CallFailed:
        return Footing()


async def _read(place: Place, resource: Resource) -> Footing:
    match resource.type:
        case R.ecs_service:
            return await _service(place, resource)
        case R.lambda_function:
            return _function(await read_function(place, resource.name))
        case R.rds_instance:
            return _database(await read_instance(place, resource.name))
        case R.rds_cluster:
            return _database(await read_cluster(place, resource.name))
        case R.load_balancer:
            return _balancer(await load_balancer(place, resource.name))
        case R.target_group:
            group = await target_group(place, resource.name)
            arns = group.get("LoadBalancerArns") or []
            return footing(others={f"load balancer#{index}": arn for index, arn in enumerate(arns)})
        case R.elasticache_cluster:
            return await _cache(place, resource.name)
        case R.ec2_instance:
            return await _machine(place, resource.name)
        case R.autoscaling_group:
            return await _group(place, resource.name)
        case R.eks_cluster:
            return await _kubernetes(place, resource.name)
        case _:
            return Footing()


async def _service(place: Place, resource: Resource) -> Footing:
    service = await read_service(place, resource)
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    revision = await read_revision(place, str(service.get("taskDefinition", "")))
    secrets = [str(s.get("valueFrom", "")) for c in revision.containers for s in c.get("secrets") or []]
    balanced = [each.get("targetGroupArn") for each in service.get("loadBalancers") or []]
    others = {f"target group#{index}": arn for index, arn in enumerate(balanced)}
    found = footing(
        groups=network.get("securityGroups") or [],
        subnets=network.get("subnets") or [],
        roles=[revision.told.get(name) for name in ("taskRoleArn", "executionRoleArn")],
        others={**others, "cluster": resource.cluster or "default"},
        texts=[*secrets, *revision.environment.values()],
    )
    plain = [each for each in secrets if each and not each.startswith("arn:")]
    named = {each: f"parameter {each}" for each in plain}
    return replace(found, things={**found.things, **named}, arns={**found.arns, **{each: each for each in plain}})


def _function(told: Answer) -> Footing:
    network = told.get("VpcConfig") or {}
    layers = {f"layer#{index}": each.get("Arn") for index, each in enumerate(told.get("Layers") or [])}
    return footing(
        groups=network.get("SecurityGroupIds") or [],
        subnets=network.get("SubnetIds") or [],
        roles=[told.get("Role")],
        others={**layers, "key": told.get("KMSKeyArn")},
        texts=((told.get("Environment") or {}).get("Variables") or {}).values(),
    )


def _database(told: Answer) -> Footing:
    parameters = [each.get("DBParameterGroupName", "") for each in told.get("DBParameterGroups") or []]
    options = [each.get("OptionGroupName", "") for each in told.get("OptionGroupMemberships") or []]
    own = [name for name in parameters if name and not name.startswith("default.")]
    subnets = told.get("DBSubnetGroup") or {}
    whole = str(told.get("DBClusterParameterGroup") or "")
    endpoint = told.get("Endpoint")
    members = [each.get("DBInstanceIdentifier") for each in told.get("DBClusterMembers") or []]
    return footing(
        groups=[each.get("VpcSecurityGroupId") for each in told.get("VpcSecurityGroups") or []],
        subnets=_subnet_ids(subnets) if isinstance(subnets, dict) else [],
        others={
            **{f"parameter group#{index}": name for index, name in enumerate(own)},
            **{f"option group#{index}": n for index, n in enumerate(options) if n and not n.startswith("default:")},
            **{f"instance#{index}": name for index, name in enumerate(members)},
            "cluster parameter group": "" if whole.startswith("default.") else whole,
            "cluster": told.get("DBClusterIdentifier") if told.get("DBInstanceIdentifier") else "",
            "subnet group": subnets.get("DBSubnetGroupName") if isinstance(subnets, dict) else subnets,
            "key": told.get("KmsKeyId"),
        },
        texts=[(told.get("MasterUserSecret") or {}).get("SecretArn")],
        hosts=[endpoint.get("Address") if isinstance(endpoint, dict) else endpoint, told.get("ReaderEndpoint")],
    )


def _subnet_ids(group: Answer) -> list[str]:
    return [str(each.get("SubnetIdentifier")) for each in group.get("Subnets") or [] if each.get("SubnetIdentifier")]


def _balancer(told: Answer) -> Footing:
    zones = told.get("AvailabilityZones") or []
    return footing(
        groups=told.get("SecurityGroups") or [],
        subnets=[each.get("SubnetId") for each in zones],
        hosts=[told.get("DNSName")],
    )


async def _cache(place: Place, name: str) -> Footing:
    nodes = await cache_nodes(place, name)
    answer = await place.call("elasticache", "DescribeCacheClusters", CacheClusterId=nodes[0], ShowCacheNodeInfo=True)
    told: Answer = next(iter(answer.get("CacheClusters") or []), {})
    parameters = str((told.get("CacheParameterGroup") or {}).get("CacheParameterGroupName") or "")
    return footing(
        groups=[each.get("SecurityGroupId") for each in told.get("SecurityGroups") or []],
        others={
            **{f"node#{index}": node for index, node in enumerate(nodes) if node != name},
            "parameter group": "" if parameters.startswith("default.") else parameters,
            "subnet group": told.get("CacheSubnetGroupName"),
            "replication group": told.get("ReplicationGroupId") if told.get("ReplicationGroupId") != name else "",
        },
        hosts=[(node.get("Endpoint") or {}).get("Address") for node in told.get("CacheNodes") or []],
    )


async def _machine(place: Place, name: str) -> Footing:
    answer = await place.call("ec2", "DescribeInstances", InstanceIds=[name])
    told: Answer = next((e for group in answer.get("Reservations") or [] for e in group.get("Instances") or []), {})
    disks = [(each.get("Ebs") or {}).get("VolumeId") for each in told.get("BlockDeviceMappings") or []]
    return footing(
        groups=[each.get("GroupId") for each in told.get("SecurityGroups") or []],
        subnets=[told.get("SubnetId")],
        others={
            **{f"volume#{index}": each for index, each in enumerate(disks)},
            "instance profile": (told.get("IamInstanceProfile") or {}).get("Arn"),
        },
        hosts=[told.get("PrivateDnsName"), told.get("PublicDnsName")],
    )


async def _group(place: Place, name: str) -> Footing:
    answer = await place.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
    told: Answer = next(iter(answer.get("AutoScalingGroups") or []), {})
    template = told.get("LaunchTemplate") or {}
    mixed = ((told.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
    template = template or mixed or {}
    return footing(
        subnets=[each for each in str(told.get("VPCZoneIdentifier") or "").split(",") if each],
        others={
            "launch template": template.get("LaunchTemplateName"),
            "launch template#id": template.get("LaunchTemplateId"),
            "launch configuration": told.get("LaunchConfigurationName"),
            **{f"target group#{index}": arn for index, arn in enumerate(told.get("TargetGroupARNs") or [])},
        },
    )


async def _kubernetes(place: Place, name: str) -> Footing:
    told: Answer = (await place.call("eks", "DescribeCluster", name=name)).get("cluster") or {}
    network = told.get("resourcesVpcConfig") or {}
    groups = [*(network.get("securityGroupIds") or []), network.get("clusterSecurityGroupId")]
    return footing(groups=groups, subnets=network.get("subnetIds") or [], roles=[told.get("roleArn")])

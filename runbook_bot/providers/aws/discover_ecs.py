"""Discovers ECS services: what is in front of them, what they log to, by what names they are called, what they call."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discover_fronts import Fronts
from runbook_bot.providers.aws.discovered import Found, Lead, handles_of, labels, service_name, tags_of
from runbook_bot.providers.aws.elb import group_dimension, name_in
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.task_definitions import Revision, read_revision, short_name

MOST_CLUSTERS = 200
MOST_SERVICES = 2000
_IN_ONE_DESCRIBE = 10


async def services(look: Looking, fronts: Fronts) -> list[Found]:
    """Every ECS service. Raises `CallFailed` where the clusters cannot be listed."""
    arns = await look.listed("ecs", "ListClusters", "clusterArns", MOST_CLUSTERS, page=100)
    clusters = [short_name(str(arn)) for arn in arns]
    told = await asyncio.gather(*(_in_cluster(look, each) for each in clusters))
    pairs = [(cluster, each) for cluster, part in zip(clusters, told, strict=True) for each in part]
    revisions = await _revisions(look, [str(each.get("taskDefinition", "")) for _, each in pairs])
    registered = await _registered(look, [each for _, each in pairs])
    seen: dict[str, str] = {}
    found = []
    for cluster, each in pairs:
        one = _service(cluster, each, revisions.get(str(each.get("taskDefinition", ""))), fronts, registered)
        twice = seen.setdefault(one.name, cluster) != cluster
        found.append(replace(one, name=f"{cluster}/{one.name}") if twice else one)
    return found


async def _in_cluster(look: Looking, cluster: str) -> list[Answer]:
    """A cluster that is deleted meanwhile, or a service, is simply not there."""
    try:
        arns = await look.listed("ecs", "ListServices", "serviceArns", MOST_SERVICES, page=100, cluster=cluster)
        batches = [arns[i : i + _IN_ONE_DESCRIBE] for i in range(0, len(arns), _IN_ONE_DESCRIBE)]
        answers = await asyncio.gather(
            *(look.call("ecs", "DescribeServices", cluster=cluster, services=b, include=["TAGS"]) for b in batches)
        )
    except CallFailed as failure:
        look.note(f"ECS services of the cluster {cluster}", failure)
        return []
    described = [each for answer in answers for each in answer.get("services") or []]
    return [each for each in described if each.get("status") != "INACTIVE"]


async def _revisions(look: Looking, named: Sequence[str]) -> dict[str, Revision]:
    """Each task definition once. One that is gone leaves its service without environment and logs."""
    found: dict[str, Revision] = {}
    refused: list[CallFailed] = []

    async def read(name: str) -> None:
        try:
            found[name] = await look.turned(lambda: read_revision(look.place, name))
        except CallFailed as failure:
            refused.append(failure)

    await asyncio.gather(*(read(name) for name in dict.fromkeys(named) if name))
    serious = [each for each in refused if each.kind != "missing"]
    if serious:
        look.note(f"{len(serious)} task definitions", serious[0])
    return found


async def _registered(look: Looking, told: Sequence[Answer]) -> Mapping[str, str]:
    """Hosts in Cloud Map by the ARN of the registry; nothing is asked where no service is in one."""
    if not any(each.get("serviceRegistries") for each in told):
        return {}
    return await look.part("Cloud Map names", _cloud_map(look), {})


async def _cloud_map(look: Looking) -> dict[str, str]:
    spaces, services = await asyncio.gather(
        look.listed("servicediscovery", "ListNamespaces", "Namespaces", 200, page=100),
        look.listed("servicediscovery", "ListServices", "Services", 2000, page=100),
    )
    names = {str(each.get("Id")): str(each.get("Name", "")) for each in spaces}
    hosts: dict[str, str] = {}
    for each in services:
        used = str((each.get("DnsConfig") or {}).get("NamespaceId") or each.get("NamespaceId") or "")
        space = names.get(used) or (next(iter(names.values())) if len(names) == 1 else "")
        if space:
            hosts[str(each.get("Arn", "")).lower()] = f"{each.get('Name')}.{space}"
    return hosts


def _service(
    cluster: str, told: Answer, revision: Revision | None, fronts: Fronts, registered: Mapping[str, str]
) -> Found:
    name = str(told.get("serviceName", ""))
    tags = tags_of(told.get("tags"), "key", "value")
    groups = [str(each["targetGroupArn"]) for each in told.get("loadBalancers") or [] if each.get("targetGroupArn")]
    network = (told.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    registries = [str(each.get("registryArn", "")).lower() for each in told.get("serviceRegistries") or []]
    resources = [
        Resource(type=R.ecs_service, cluster=cluster, name=name),
        *(Resource(type=R.target_group, name=name_in(group_dimension(arn))) for arn in groups),
        *(Resource(type=R.log_group, name=group) for group in (revision.log_groups if revision else [])),
    ]
    return Found(
        name=service_name(tags, name),
        resources=tuple(resources),
        handles=handles_of(
            [
                told.get("serviceArn"),
                *groups,
                *(host for arn in groups for host in fronts.hosts_of(arn)),
                *(registered.get(arn) for arn in registries),
                *_connected(told),
            ]
        ),
        environment=revision.environment if revision else {},
        leads=tuple(_secrets(revision)),
        firewall=frozenset(network.get("securityGroups") or ()),
        role=str(revision.told.get("taskRoleArn") or "") if revision else "",
        labels=labels(tags, cluster),
    )


def _connected(told: Answer) -> list[str]:
    """The names that other services of the cluster reach it by through Service Connect."""
    found: list[str] = []
    for deployment in told.get("deployments") or []:
        connect: Mapping[str, Any] = deployment.get("serviceConnectConfiguration") or {}
        space = str(connect.get("namespace") or "").rpartition("/")[2]
        for each in connect.get("services") or []:
            found += [str(alias["dnsName"]) for alias in each.get("clientAliases") or [] if alias.get("dnsName")]
            port = str(each.get("discoveryName") or each.get("portName") or "")
            found += [f"{port}.{space}"] if port and space else []
    return found


def _secrets(revision: Revision | None) -> list[Lead]:
    """What a secret is called may tell what it opens; what is in it is not read."""
    listed = [
        secret for container in (revision.containers if revision else []) for secret in container.get("secrets") or []
    ]
    return [
        Lead(str(each.get("valueFrom", "")), f"secret {str(each.get('name', ''))[:80]}", weak=True) for each in listed
    ]

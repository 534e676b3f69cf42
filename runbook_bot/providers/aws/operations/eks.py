"""What can be asked of EKS: clusters, node groups, add-ons and Fargate profiles, with what ails them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.console import console_link, console_page
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.operations.listing import batches, cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer, Place

_MOST_CLUSTERS = 50
MOST_PARTS = 50
_ENOUGH = 100
_CLUSTERS_AT_ONCE = 3
_CLUSTER = Field(default=None, description="Name of the cluster; none means all clusters")


async def chosen_clusters(place: Place, name: str | None) -> list[str]:
    """The one that is named, else all, at most fifty. Raises `CallFailed`."""
    if name is not None:
        return [name]
    found = await place.gather("eks", "ListClusters", "clusters", _MOST_CLUSTERS)
    return [str(each) for each in found]


def cluster_page(place: Place, cluster: str | None) -> str | None:
    if cluster is None:
        return console_page(place.region, "eks/home#/clusters")
    return console_link(Resource(type=ResourceType.eks_cluster, name=cluster), place.region)


def issues_of(told: Answer) -> list[str] | None:
    """What EKS itself finds wrong with a cluster or a part of it."""
    found: list[Answer] = (told.get("health") or {}).get("issues") or []
    return [
        one_line(
            f"{each.get('code', '?')}: {each.get('message', '')}"
            + (f" ({names(str(id) for id in each['resourceIds'])})" if each.get("resourceIds") else ""),
            400,
        )
        for each in found
    ] or None


def _ails(row: Row) -> bool:
    return bool(row.facts.get("issues")) or row.facts.get("status") != "ACTIVE"


def _worst_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (not row.facts.get("issues"), not _ails(row), row.name))


class Clusters(Operation):
    """EKS clusters: status and health issues, versions, how the API is reached, which logs it writes; the ill first."""

    kind: ClassVar[str] = "aws.eks.clusters"
    service = "eks"
    calls = ("ListClusters", "DescribeCluster")
    words = ("eks clusters", "kubernetes clusters", "kubernetes version", "control plane", "health of the cluster")

    cluster: str | None = _CLUSTER

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await chosen_clusters(place, self.cluster)
        parts = Parts()
        if self.cluster is not None:
            found = [await place.call("eks", "DescribeCluster", name=self.cluster)]
        else:
            described = await parts.each(listed, lambda name: place.call("eks", "DescribeCluster", name=name))
            found = [answer for _, answer in described]
        rows = [_cluster(each["cluster"]) for each in found if each.get("cluster")]
        return self.table(
            place,
            _worst_first(rows),
            empty="there is no EKS cluster",
            failures=parts.failures,
            more=cut_short(listed, _MOST_CLUSTERS, "name one"),
            console=cluster_page(place, self.cluster),
        )


def _cluster(told: Answer) -> Row:
    network = told.get("resourcesVpcConfig") or {}
    reach = [
        text
        for text, on in (
            ("public", network.get("endpointPublicAccess")),
            ("private", network.get("endpointPrivateAccess")),
        )
        if on
    ]
    logs = (told.get("logging") or {}).get("clusterLogging") or []
    facts: Answer = {
        "status": told.get("status"),
        "issues": issues_of(told),
        "version": told.get("version"),
        "platform_version": told.get("platformVersion"),
        "support": (told.get("upgradePolicy") or {}).get("supportType"),
        "api_reached": reach or None,
        "api_public_to": [str(each) for each in network.get("publicAccessCidrs") or []] if "public" in reach else None,
        "control_plane_logs": [str(type) for each in logs if each.get("enabled") for type in each.get("types") or []],
        "security_group": network.get("clusterSecurityGroupId"),
        "subnets": [str(each) for each in network.get("subnetIds") or []],
        "authentication": (told.get("accessConfig") or {}).get("authenticationMode"),
    }
    return Row(name=str(told.get("name", "?")), at=told.get("createdAt"), facts=facts)


async def _parts_of(
    place: Place, cluster: str, action: str, key: str, describe: Callable[[str], Awaitable[Answer]], parts: Parts
) -> list[tuple[str, Answer]]:
    """The parts of a cluster that `action` lists, each described. Raises `CallFailed` where they cannot be listed."""
    listed = await place.gather("eks", action, key, MOST_PARTS, clusterName=cluster)
    if len(listed) >= MOST_PARTS:
        parts.left_out.append(f"only the first {MOST_PARTS} of {cluster} were read")
    return await parts.each([str(each) for each in listed], describe)


async def _version(place: Place, cluster: str, parts: Parts) -> str | None:
    """Of Kubernetes, that the control plane runs."""
    whole = await parts.get(place.call("eks", "DescribeCluster", name=cluster), {})
    version: str | None = (whole.get("cluster") or {}).get("version")
    return version


class NodeGroups(Operation):
    """Node groups of EKS clusters: health issues, sizes, versions behind the cluster's, types; the ill first."""

    kind: ClassVar[str] = "aws.eks.node_groups"
    service = "eks"
    calls = ("ListClusters", "ListNodegroups", "DescribeNodegroup", "DescribeCluster")
    words = ("node groups", "kubernetes nodes", "managed nodes", "worker nodes", "node group health")

    cluster: str | None = _CLUSTER

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _by_cluster(self, place, self.cluster, self._groups, "there is no managed node group")

    async def _groups(self, place: Place, cluster: str, parts: Parts) -> list[Row]:
        def describe(name: str) -> Awaitable[Answer]:
            return place.call("eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)

        found, version = await asyncio.gather(
            _parts_of(place, cluster, "ListNodegroups", "nodegroups", describe, parts), _version(place, cluster, parts)
        )
        return [_node_group(cluster, each["nodegroup"], version) for _, each in found if each.get("nodegroup")]


_Look = Callable[[Place, str, Parts], Awaitable[list[Row]]]


async def _by_cluster(asked: Operation, place: Place, cluster: str | None, look: _Look, empty: str) -> Result:
    """What `look` finds in the named cluster, else in all. Raises `CallFailed` where the named one cannot be read."""
    parts = Parts()
    if cluster is not None:
        rows = await look(place, cluster, parts)
    else:
        rows = []
        listed = await chosen_clusters(place, None)
        for batch in batches(listed, _CLUSTERS_AT_ONCE):
            rows += [
                row for _, found in await parts.each(batch, lambda name: look(place, name, parts)) for row in found
            ]
            left = len(listed) - listed.index(batch[-1]) - 1
            if len(rows) >= _ENOUGH and left:
                parts.left_out.append(f"{left} more clusters were not looked into; name one")
                break
    return asked.table(
        place,
        _worst_first(rows),
        empty=empty,
        failures=parts.failures,
        more="; ".join(parts.left_out),
        console=cluster_page(place, cluster),
    )


def _node_group(cluster: str, told: Answer, cluster_version: str | None) -> Row:
    scaling = told.get("scalingConfig") or {}
    version = told.get("version")
    groups = (told.get("resources") or {}).get("autoScalingGroups") or []
    facts: Answer = {
        "cluster": cluster,
        "status": told.get("status"),
        "issues": issues_of(told),
        "minimum": scaling.get("minSize"),
        "desired": scaling.get("desiredSize"),
        "maximum": scaling.get("maxSize"),
        "version": version,
        "cluster_version": cluster_version if cluster_version != version else None,
        "release": told.get("releaseVersion"),
        "image_type": told.get("amiType"),
        "types": [str(each) for each in told.get("instanceTypes") or []],
        "purchase": told.get("capacityType"),
        "disk_gib": told.get("diskSize"),
        "autoscaling_groups": [str(each.get("name")) for each in groups],
        "taints": [f"{e.get('key')}={e.get('value', '')}:{e.get('effect')}" for e in told.get("taints") or []] or None,
        "subnets": [str(each) for each in told.get("subnets") or []],
    }
    return Row(
        name=str(told.get("nodegroupName", "?")), at=told.get("modifiedAt") or told.get("createdAt"), facts=facts
    )


class AddOns(Operation):
    """Add-ons of EKS clusters: status, health issues, version and the one EKS would choose; the ill first."""

    kind: ClassVar[str] = "aws.eks.add_ons"
    service = "eks"
    calls = ("ListClusters", "ListAddons", "DescribeAddon", "DescribeCluster", "DescribeAddonVersions")
    words = ("eks add-ons", "addons", "vpc cni", "coredns", "kube-proxy", "ebs csi driver", "degraded add-on")

    cluster: str | None = _CLUSTER

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _by_cluster(
            self,
            place,
            self.cluster,
            self._add_ons,
            "there is no managed add-on; those that were installed by hand are not known here",
        )

    async def _add_ons(self, place: Place, cluster: str, parts: Parts) -> list[Row]:
        def describe(name: str) -> Awaitable[Answer]:
            return place.call("eks", "DescribeAddon", clusterName=cluster, addonName=name)

        found, version = await asyncio.gather(
            _parts_of(place, cluster, "ListAddons", "addons", describe, parts), _version(place, cluster, parts)
        )
        chosen: Mapping[str, str | None] = {}
        if version:
            chosen = dict(await parts.each([name for name, _ in found], lambda name: _default(place, name, version)))
        return [_add_on(cluster, each["addon"], chosen.get(name)) for name, each in found if each.get("addon")]


async def _default(place: Place, add_on: str, version: str) -> str | None:
    """The version of the add-on that EKS installs by default with this version of Kubernetes."""
    found = await place.gather("eks", "DescribeAddonVersions", "addons", 1, addonName=add_on, kubernetesVersion=version)
    for each in found[0].get("addonVersions") or [] if found else []:
        fits = each.get("compatibilities") or []
        if any(fit.get("clusterVersion") == version and fit.get("defaultVersion") for fit in fits):
            return str(each.get("addonVersion"))
    return None


def _add_on(cluster: str, told: Answer, chosen: str | None) -> Row:
    version = told.get("addonVersion")
    facts: Answer = {
        "cluster": cluster,
        "status": told.get("status"),
        "issues": issues_of(told),
        "version": version,
        "default_version": chosen if chosen != version else None,
        "role": str(told.get("serviceAccountRoleArn") or "").rpartition("/")[2] or None,
        "configured": bool(told.get("configurationValues")),
        "publisher": told.get("publisher"),
    }
    return Row(name=str(told.get("addonName", "?")), at=told.get("modifiedAt") or told.get("createdAt"), facts=facts)


class FargateProfiles(Operation):
    """Fargate profiles of EKS clusters: which pods they take, status and health issues; the ill first."""

    kind: ClassVar[str] = "aws.eks.fargate_profiles"
    service = "eks"
    calls = ("ListClusters", "ListFargateProfiles", "DescribeFargateProfile")
    words = ("fargate profiles", "pods on fargate", "eks on fargate")

    cluster: str | None = _CLUSTER

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _by_cluster(self, place, self.cluster, self._profiles, "there is no Fargate profile")

    async def _profiles(self, place: Place, cluster: str, parts: Parts) -> list[Row]:
        def describe(name: str) -> Awaitable[Answer]:
            return place.call("eks", "DescribeFargateProfile", clusterName=cluster, fargateProfileName=name)

        found = await _parts_of(place, cluster, "ListFargateProfiles", "fargateProfileNames", describe, parts)
        return [_profile(cluster, each["fargateProfile"]) for _, each in found if each.get("fargateProfile")]


def _profile(cluster: str, told: Answer) -> Row:
    facts: Answer = {
        "cluster": cluster,
        "status": told.get("status"),
        "issues": issues_of(told),
        "takes": [
            f"{each.get('namespace')} " + " ".join(f"{k}={v}" for k, v in (each.get("labels") or {}).items())
            for each in told.get("selectors") or []
        ],
        "subnets": [str(each) for each in told.get("subnets") or []],
        "role": str(told.get("podExecutionRoleArn") or "").rpartition("/")[2] or None,
    }
    return Row(name=str(told.get("fargateProfileName", "?")), at=told.get("createdAt"), facts=facts)


OPERATIONS = (Clusters, NodeGroups, AddOns, FargateProfiles)

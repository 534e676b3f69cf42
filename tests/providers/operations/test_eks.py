"""EKS: clusters, node groups and Fargate profiles against moto; issues, add-ons and updates by the stand-in."""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.eks import AddOns, Clusters, FargateProfiles, NodeGroups
from runbook_bot.providers.aws.operations.eks_history import Insights, Updates
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.estate import Estate, anew
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


@pytest.fixture
def estate(shop: Shop) -> Estate:
    return Estate(shop)


async def test_clusters_and_what_is_in_them(estate: Estate, provider: AwsProvider) -> None:
    estate.kubernetes("prod")
    estate.kubernetes("test")
    clusters = await provider.ask(Clusters())
    assert [(row.name, row.facts["status"]) for row in clusters.rows] == [("prod", "ACTIVE"), ("test", "ACTIVE")]
    assert clusters.rows[0].facts["version"]
    groups = await provider.ask(NodeGroups())
    assert {(row.facts["cluster"], row.name) for row in groups.rows} == {("prod", "workers"), ("test", "workers")}
    assert (groups.rows[0].facts["minimum"], groups.rows[0].facts["maximum"]) == (1, 3)
    profiles = await provider.ask(FargateProfiles(cluster="prod"))
    assert [(row.name, row.facts["takes"]) for row in profiles.rows] == [("batch", ["jobs team=größe"])]


async def test_no_cluster_and_a_cluster_that_is_gone(aws: StandIn, provider: AwsProvider) -> None:
    """Moto breaks where node groups of a cluster that is gone are listed."""
    assert (await provider.ask(Clusters())).message == "there is no EKS cluster"
    for listing in ("ListNodegroups", "ListFargateProfiles"):
        aws.refuses(listing, "ResourceNotFoundException", "No cluster found for name: gone.", 404)
    for question in (Clusters(cluster="gone"), NodeGroups(cluster="gone"), FargateProfiles(cluster="gone")):
        result = await provider.ask(question)
        assert result.status is Status.no_data, question


async def test_a_cluster_deleted_since_it_was_listed_is_skipped_and_a_denied_one_named(
    aws: StandIn, estate: Estate, provider: AwsProvider
) -> None:
    estate.kubernetes("prod")
    aws.says("ListClusters", {"clusters": ["deleted", "prod"]})
    denied = Answer(403, b'{"message": "no"}', headers={"x-amzn-ErrorType": "AccessDeniedException"})
    result = await provider.ask(Clusters())
    assert [row.name for row in result.rows] == ["prod"]
    assert result.status is Status.ok
    aws.answers["DescribeCluster"] = lambda _: denied
    partial = await anew().ask(NodeGroups(cluster="prod"))
    assert partial.status is Status.truncated
    assert [row.name for row in partial.rows] == ["workers"]
    assert "eks:DescribeCluster" in partial.message


async def test_what_ails_a_node_group_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's node groups are always well."""
    issue = {
        "code": "AsgInstanceLaunchFailures",
        "message": "no capacity in us-east-1a",
        "resourceIds": ["eks-workers"],
    }
    aws.says("ListNodegroups", {"nodegroups": ["a-well", "workers"]})
    well = {"nodegroupName": "a-well", "status": "ACTIVE", "version": "1.31", "health": {"issues": []}}
    ill = {**well, "nodegroupName": "workers", "status": "DEGRADED", "version": "1.29", "health": {"issues": [issue]}}
    aws.tells("eks", "DescribeCluster", {"cluster": {"name": "prod", "version": "1.31"}})
    bodies = {"a-well": well, "workers": ill}
    _by_path(aws, "DescribeNodegroup", {name: {"nodegroup": body} for name, body in bodies.items()})
    result = await provider.ask(NodeGroups(cluster="prod"))
    assert [row.name for row in result.rows] == ["workers", "a-well"]
    facts = result.rows[0].facts
    assert facts["issues"] == ["AsgInstanceLaunchFailures: no capacity in us-east-1a (eks-workers)"]
    assert (facts["version"], facts["cluster_version"]) == ("1.29", "1.31")
    assert "cluster_version" not in result.rows[1].facts


def _by_path(aws: StandIn, operation: str, answers: dict[str, dict[str, Any]]) -> None:
    """Answers by the last part of the path that is asked for."""
    rendered: dict[str, Answer] = {}
    for name, body in answers.items():
        aws.tells("eks", operation, body)
        told = aws.answers[operation]("")
        assert told is not None
        rendered[name] = told
    aws.answers[operation] = lambda path: rendered.get(path.partition("?")[0].rpartition("/")[2])


async def test_add_ons_and_the_version_that_eks_would_choose(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not have add-ons."""
    aws.says("ListAddons", {"addons": ["coredns", "vpc-cni"]})
    aws.tells("eks", "DescribeCluster", {"cluster": {"name": "prod", "version": "1.31"}})
    issue = {"code": "InsufficientNumberOfReplicas", "message": "The add-on is unhealthy: no replicas."}
    well = {"addonName": "coredns", "status": "ACTIVE", "addonVersion": "v1.11.3-eksbuild.1"}
    ill = {
        "addonName": "vpc-cni",
        "status": "DEGRADED",
        "addonVersion": "v1.16.0-eksbuild.1",
        "health": {"issues": [issue]},
    }
    _by_path(aws, "DescribeAddon", {"coredns": {"addon": well}, "vpc-cni": {"addon": ill}})
    fits = {"clusterVersion": "1.31", "defaultVersion": True}
    chosen = {"addonVersion": "v1.19.0-eksbuild.1", "compatibilities": [fits]}
    older = {"addonVersion": "v1.20.0-eksbuild.1", "compatibilities": [{**fits, "defaultVersion": False}]}
    aws.tells("eks", "DescribeAddonVersions", {"addons": [{"addonName": "vpc-cni", "addonVersions": [older, chosen]}]})
    result = await provider.ask(AddOns(cluster="prod"))
    assert [row.name for row in result.rows] == ["vpc-cni", "coredns"]
    facts = result.rows[0].facts
    assert facts["issues"] == ["InsufficientNumberOfReplicas: The add-on is unhealthy: no replicas."]
    assert (facts["version"], facts["default_version"]) == ("v1.16.0-eksbuild.1", "v1.19.0-eksbuild.1")
    aws.refuses("DescribeAddonVersions", "AccessDeniedException", "no", 403)
    partial = await anew().ask(AddOns(cluster="prod"))
    assert partial.status is Status.truncated
    assert len(partial.rows) == 2
    assert "eks:DescribeAddonVersions" in partial.message
    aws.says("ListAddons", {"addons": []})
    assert (await anew().ask(AddOns(cluster="prod"))).status is Status.no_data


async def test_failed_updates_come_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not have updates."""
    aws.says("ListNodegroups", {"nodegroups": ["workers"]})
    aws.says("ListAddons", {"addons": []})
    listed = {"": ["u-1"], "nodegroupName=workers": ["u-2"]}
    ids = {query: Answer(200, b'{"updateIds": ["%s"]}' % ids[0].encode()) for query, ids in listed.items()}
    aws.answers["ListUpdates"] = lambda path: ids["nodegroupName=workers" if "nodegroupName" in path else ""]
    upgrade = {
        "id": "u-1",
        "status": "Successful",
        "type": "VersionUpdate",
        "params": [{"type": "Version", "value": "1.31"}],
        "createdAt": NOW.timestamp(),
    }
    error = {
        "errorCode": "PodEvictionFailure",
        "errorMessage": "pods could not be evicted",
        "resourceIds": ["ip-1"],
    }
    failed = {
        **upgrade,
        "id": "u-2",
        "status": "Failed",
        "errors": [error],
        "createdAt": (NOW - timedelta(days=1)).timestamp(),
    }
    _by_path(aws, "DescribeUpdate", {"u-1": {"update": upgrade}, "u-2": {"update": failed}})
    result = await provider.ask(Updates(cluster="prod"))
    assert [(row.name, row.facts["id"]) for row in result.rows] == [("workers", "u-2"), ("cluster", "u-1")]
    assert result.rows[0].facts["errors"] == ["PodEvictionFailure: pods could not be evicted (ip-1)"]
    assert result.rows[1].facts["to"] == {"Version": "1.31"}
    aws.refuses("ListNodegroups", "AccessDeniedException", "no", 403)
    partial = await anew().ask(Updates(cluster="prod"))
    assert [row.name for row in partial.rows] == ["cluster"]
    assert "eks:ListNodegroups" in partial.message
    aws.refuses("ListUpdates", "ResourceNotFoundException", "No cluster found for name: prod.", 404)
    assert (await anew().ask(Updates(cluster="prod"))).status is Status.no_data


async def test_insights_by_weight(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not have insights."""
    passing = {"id": "1", "name": "kubelet versions", "insightStatus": {"status": "PASSING"}}
    error = {
        "id": "2",
        "name": "Deprecated APIs removed in Kubernetes v1.32",
        "insightStatus": {"status": "ERROR", "reason": "used within 30 days"},
        "lastRefreshTime": NOW.timestamp(),
    }
    aws.tells("eks", "ListInsights", {"insights": [passing, error]})
    result = await provider.ask(Insights(cluster="prod"))
    assert [row.facts["status"] for row in result.rows] == ["ERROR", "PASSING"]
    assert result.rows[0].facts["reason"] == "used within 30 days"
    aws.tells("eks", "ListInsights", {"insights": []})
    assert (await anew().ask(Insights(cluster="prod"))).status is Status.no_data

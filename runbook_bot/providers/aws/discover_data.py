"""Discovers what keeps data: databases with their proxies, tables, caches, streams and buckets, each a service."""

import asyncio
from collections.abc import Mapping

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, found, handles_of, labels, service_name, tags_of
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer

MOST = 2000


async def databases(look: Looking) -> list[Found]:
    """RDS and Aurora; the members of a cluster are parts of it, and a proxy is another door to its database.

    Where instances cannot be listed, the clusters are there all the same. The others of these raise `CallFailed`.
    """
    instances, clusters, proxies = await asyncio.gather(
        look.part("databases", look.listed("rds", "DescribeDBInstances", "DBInstances", MOST, page=100), []),
        look.part("Aurora clusters", look.listed("rds", "DescribeDBClusters", "DBClusters", MOST, page=100), []),
        look.part("database proxies", _proxies(look), {}),
    )
    names = {
        str(each.get("DBClusterIdentifier")): service_name(
            tags_of(each.get("TagList")), str(each.get("DBClusterIdentifier", ""))
        )
        for each in clusters
    }
    return [
        *(_cluster(each, proxies) for each in clusters),
        *(_instance(each, names, proxies) for each in instances),
    ]


def _cluster(told: Answer, proxies: Mapping[str, list[str]]) -> Found:
    id = str(told.get("DBClusterIdentifier", ""))
    hosts = (told.get("Endpoint"), told.get("ReaderEndpoint"), *(told.get("CustomEndpoints") or []))
    secret = (told.get("MasterUserSecret") or {}).get("SecretArn")
    firewall = _groups(told)
    return found(
        R.rds_cluster,
        id,
        tags_of(told.get("TagList")),
        *(told.get("DBClusterArn"), secret, *hosts, *proxies.get(f"cluster {id}", ())),
        firewall=firewall,
    )


def _instance(told: Answer, clusters: Mapping[str, str], proxies: Mapping[str, list[str]]) -> Found:
    id, tags = str(told.get("DBInstanceIdentifier", "")), tags_of(told.get("TagList"))
    secret = (told.get("MasterUserSecret") or {}).get("SecretArn")
    address = (told.get("Endpoint") or {}).get("Address")
    own = found(
        R.rds_instance,
        id,
        tags,
        *(told.get("DBInstanceArn"), address, secret, *proxies.get(f"instance {id}", ())),
        firewall=_groups(told),
    )
    cluster = clusters.get(str(told.get("DBClusterIdentifier") or ""))
    return own if cluster is None else Found(cluster, own.resources, handles=own.handles, firewall=own.firewall)


def _groups(told: Answer) -> frozenset[str]:
    return frozenset(str(each.get("VpcSecurityGroupId")) for each in told.get("VpcSecurityGroups") or [])


async def _proxies(look: Looking) -> dict[str, list[str]]:
    """The proxies' hosts by what is behind them: `cluster NAME` or `instance NAME`."""
    proxies = await look.listed("rds", "DescribeDBProxies", "DBProxies", 100)
    names = [str(each.get("DBProxyName", "")) for each in proxies]
    told = await asyncio.gather(
        *(
            look.part(
                f"targets of the proxy {name}",
                look.listed("rds", "DescribeDBProxyTargets", "Targets", 50, DBProxyName=name),
                [],
            )
            for name in names
        )
    )
    found: dict[str, list[str]] = {}
    for proxy, targets in zip(proxies, told, strict=True):
        for target in targets:
            kind = (
                "cluster" if target.get("TrackedClusterId") or target.get("Type") == "TRACKED_CLUSTER" else "instance"
            )
            id = str(target.get("TrackedClusterId") or target.get("RdsResourceId") or "")
            found.setdefault(f"{kind} {id}", []).append(str(proxy.get("Endpoint", "")))
    return found


async def tables(look: Looking) -> list[Found]:
    names = await look.listed("dynamodb", "ListTables", "TableNames", MOST, page=100)
    arns = [(str(name), look.arn("dynamodb", f"table/{name}")) for name in names]
    return [found(R.dynamodb_table, name, look.tagged(arn), arn) for name, arn in arns]


async def streams(look: Looking) -> list[Found]:
    listed = await look.listed("kinesis", "ListStreams", "StreamSummaries", MOST, page=100)
    arns = [(str(each.get("StreamName", "")), str(each.get("StreamARN", ""))) for each in listed]
    return [found(R.kinesis_stream, name, look.tagged(arn), arn) for name, arn in arns]


async def buckets(look: Looking) -> list[Found]:
    """Those of the whole account; of interest where somebody uses one."""
    answer = await look.call("s3", "ListBuckets")
    names = [str(each.get("Name", "")) for each in answer.get("Buckets") or []]
    domain = "amazonaws.com.cn" if look.identity.partition == "aws-cn" else "amazonaws.com"
    listed = []
    for name in names[:MOST]:
        arn = f"arn:{look.identity.partition}:s3:::{name}"
        hosts = (f"{name}.s3.{domain}", f"{name}.s3.{look.place.region}.{domain}", f"s3://{name}")
        listed.append(found(R.s3_bucket, name, look.tagged(arn), arn, *hosts, only_called=True))
    return listed


async def caches(look: Looking) -> list[Found]:
    """Clusters, and replication groups as one with their members."""
    listed, groups = await asyncio.gather(
        look.listed("elasticache", "DescribeCacheClusters", "CacheClusters", MOST, page=100, ShowCacheNodeInfo=True),
        look.part("replication groups", _replication_groups(look), []),
    )
    arns = {str(each.get("ReplicationGroupId")): str(each.get("ARN", "")) for each in groups}
    hosts = {name: _hosts(each) for each in groups if (name := str(each.get("ReplicationGroupId", "")))}
    tags = {name: look.tagged(arn) for name, arn in arns.items()}
    firewalls: dict[str, frozenset[str]] = {}
    for each in listed:
        name = str(each.get("ReplicationGroupId") or each.get("CacheClusterId") or "")
        arn = str(each.get("ARN", ""))
        hosts.setdefault(name, []).extend([*_hosts(each), arn])
        tags[name] = {**look.tagged(arn), **tags.get(name, {})}
        own = [str(group.get("SecurityGroupId")) for group in each.get("SecurityGroups") or []]
        firewalls[name] = firewalls.get(name, frozenset()) | frozenset(own)
    return [
        Found(
            name=service_name(tags[name], name),
            resources=(Resource(type=R.elasticache_cluster, name=name),),
            handles=handles_of([arns.get(name), *told]),
            firewall=firewalls.get(name, frozenset()),
            labels=labels(tags[name]),
        )
        for name, told in hosts.items()
    ]


async def _replication_groups(look: Looking) -> list[Answer]:
    return await look.listed("elasticache", "DescribeReplicationGroups", "ReplicationGroups", MOST, page=100)


def _hosts(told: Answer) -> list[str]:
    """The addresses of a cluster's nodes, or of a replication group."""
    endpoints = [told.get("ConfigurationEndpoint"), *(node.get("Endpoint") for node in told.get("CacheNodes") or [])]
    for group in told.get("NodeGroups") or []:
        endpoints += [group.get("PrimaryEndpoint"), group.get("ReaderEndpoint")]
        endpoints += [member.get("ReadEndpoint") for member in group.get("NodeGroupMembers") or []]
    return [str(each["Address"]) for each in endpoints if each and each.get("Address")]

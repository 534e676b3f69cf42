"""Discovers what keeps data: databases, tables, queues and caches, each a service of its own name."""

from collections.abc import Mapping
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, owner_name, service_name
from runbook_bot.providers.aws.place import Place

_MOST = 200
Tags = Mapping[str, Mapping[str, str]]


async def databases(place: Place) -> list[Found]:
    """Raises `CallFailed` where they cannot be listed, as all of these do."""
    listed = await place.gather("rds", "DescribeDBInstances", "DBInstances", _MOST)
    return [
        _found(
            R.rds_instance,
            str(each.get("DBInstanceIdentifier", "")),
            _tags(each.get("TagList")),
            (each.get("Endpoint") or {}).get("Address"),
        )
        for each in listed
    ]


async def clusters(place: Place) -> list[Found]:
    listed = await place.gather("rds", "DescribeDBClusters", "DBClusters", _MOST)
    return [
        _found(
            R.rds_cluster,
            str(each.get("DBClusterIdentifier", "")),
            _tags(each.get("TagList")),
            each.get("Endpoint"),
            each.get("ReaderEndpoint"),
        )
        for each in listed
    ]


async def tables(place: Place, tags: Tags) -> list[Found]:
    names = await place.gather("dynamodb", "ListTables", "TableNames", _MOST)
    return [_found(R.dynamodb_table, str(name), _ending(tags, ":dynamodb:", f":table/{name}")) for name in names]


async def queues(place: Place, tags: Tags) -> list[Found]:
    urls = await place.gather("sqs", "ListQueues", "QueueUrls", _MOST)
    named = [(str(url), str(url).rpartition("/")[2]) for url in urls]
    return [_found(R.sqs_queue, name, _ending(tags, ":sqs:", f":{name}"), url) for url, name in named]


async def caches(place: Place, tags: Tags) -> list[Found]:
    listed = await place.gather("elasticache", "DescribeCacheClusters", "CacheClusters", _MOST, ShowCacheNodeInfo=True)
    found: dict[str, Found] = {}
    for each in listed:
        name = str(each.get("ReplicationGroupId") or each.get("CacheClusterId") or "")
        hosts = [(node.get("Endpoint") or {}).get("Address") for node in each.get("CacheNodes") or []]
        hosts.append((each.get("ConfigurationEndpoint") or {}).get("Address"))
        own = tags.get(str(each.get("ARN", "")), {})
        known = found.get(name)
        handles = known.handles if known else frozenset()
        found[name] = _found(R.elasticache_cluster, name, own, *hosts, *handles)
    return list(found.values())


def _found(type: R, name: str, tags: Mapping[str, str], *hosts: Any) -> Found:
    handles = frozenset(str(host).lower() for host in hosts if host)
    return Found(service_name(tags, name), (Resource(type=type, name=name),), owner_name(tags), handles)


def _tags(listed: Any) -> dict[str, str]:
    return {str(tag.get("Key")): str(tag.get("Value", "")) for tag in listed or []}


def _ending(tags: Tags, service: str, tail: str) -> Mapping[str, str]:
    """The tags of the one ARN of that service that ends like this."""
    return next((found for arn, found in tags.items() if service in arn and arn.endswith(tail)), {})

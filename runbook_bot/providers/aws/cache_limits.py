"""How many connections a cache node takes."""

_USUAL = 65_000
_SMALL = {
    "cache.t2.micro": 20_000, "cache.t2.small": 20_000, "cache.t2.medium": 20_000, "cache.t3.micro": 20_000,
    "cache.t3.small": 46_000, "cache.t3.medium": 46_000, "cache.t4g.micro": 20_000,
}  # fmt: skip
"""From the ElastiCache guide, `maxclients` of Redis OSS 2.8.6 and later, which cannot be changed."""


def most_connections(engine: str, node_type: str) -> int:
    """`maxclients` of Redis OSS and Valkey, by the node's type; memcached's `max_connections` is 65,000 on any."""
    return _USUAL if engine == "memcached" else _SMALL.get(node_type, _USUAL)

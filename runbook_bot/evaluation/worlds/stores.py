"""What goes wrong where data is kept: connections, queries, locks, disks, replicas, failovers, caches.

Signs after the CloudWatch metrics of RDS and ElastiCache, the event messages of RDS, and the error messages of
PostgreSQL, MySQL and Redis as their manuals give them.
"""

from typing import Any

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.story import Accepted, Story, complaint, failing, family, slow, slowness
from runbook_bot.evaluation.worlds.town import Json, Town

GIB = 1024.0**3
_FULL = {
    "postgres": "FATAL:  sorry, too many clients already",
    "mysql": "Too many connections",
}
_POOL = (
    "could not obtain a database connection within 30 s",
    "pool exhausted: all <n> connections are in use",
    "QueuePool limit of size 20 overflow 10 reached, connection timed out, timeout 30.00",
    "HikariPool-1 - Connection is not available, request timed out after 30001ms",
)
_LONG = {
    "postgres": "<stamp> UTC:<ip>(4<n>):app@main:[<n>]:LOG:  duration: <slow>.<few> ms  statement: {sql}",
    "mysql": "# Query_time: <few>.<n>  Lock_time: 0.0001 Rows_sent: 20  Rows_examined: 9<n>00 {sql}",
}
_SQL = (
    "SELECT * FROM bookings WHERE note LIKE '%late%' ORDER BY created_at",
    "SELECT count(*) FROM parcels p JOIN scans s ON s.code = p.code",
    "SELECT id FROM loans WHERE lower(title) = $1",
    "SELECT * FROM events WHERE payload->>'kind' = $1 ORDER BY at DESC",
)
_LOCKED = {
    "postgres": (
        "<stamp> UTC:<ip>(4<n>):app@main:[<n>]:LOG:  process <n> still waiting for ShareLock on transaction <id> "
        "after 1000.<few> ms",
        "<stamp> UTC:<ip>(4<n>):app@main:[<n>]:ERROR:  canceling statement due to lock timeout",
    ),
    "mysql": (
        "<ts> <n> [Warning] InnoDB: Lock wait timeout exceeded; transaction <id> rolled back",
        "<ts> <n> [Note] InnoDB: Transactions deadlock detected, dumping detailed information.",
    ),
}
_LOCK_SEEN = (
    "canceling statement due to lock timeout",
    "Lock wait timeout exceeded; try restarting transaction",
    'could not obtain lock on row in relation "orders"',
    "deadlock detected; retrying transaction <id>",
)
_NO_SPACE = {
    "postgres": '<stamp> UTC:<ip>(4<n>):app@main:[<n>]:ERROR:  could not extend file "base/16401/<n>": No space left '
    "on device",
    "mysql": "<ts> <n> [ERROR] [MY-012814] [InnoDB] Write to file ./main/orders.ibd failed: error number 28 (No space "
    "left on device)",
}
_READ_ONLY = (
    "write failed: database is in read-only mode to avoid corruption",
    "insert failed: could not extend file: No space left on device",
    "The table 'orders' is full",
    "commit failed: storage full",
)
_CUT = (
    "terminating connection due to administrator command",
    "server closed the connection unexpectedly",
    "Communications link failure: the last packet sent successfully was <ms> ms ago",
    "cannot execute UPDATE in a read-only transaction",
)
_STALE = (
    "record <id> not found right after it was written",
    "replica is behind: read of <id> returned an older version",
    "stale read detected for <id>, retrying on the primary",
    "version of <id> went backwards",
)
_CACHE_DOWN = (
    "redis: connection refused",
    "Error: connect ECONNREFUSED 10.0.3.17:6379",
    "redis.exceptions.ConnectionError: Error 111 connecting to cache:6379. Connection refused.",
    "io.lettuce.core.RedisConnectionException: Unable to connect to cache:6379",
)
_CACHE_FULL = (
    "OOM command not allowed when used memory > 'maxmemory'.",
    "cache set failed: OOM command not allowed when used memory > 'maxmemory'.",
)


def _stored(town: Town, hops: int, **more: Any) -> tuple[list[str], str, str]:
    """A chain whose last service keeps its data in a database."""
    names = town.chain(hops)
    name = f"{names[-1]}-db"
    town.database(name, **more)
    town.needs(names[-1], name)
    town.everyday()
    return names, name, f"rds_instance:{name}"


def _extra(name: str, baseline: float, unit: str = "None", **more: Any) -> Json:
    return {"name": name, "namespace": "AWS/RDS", "baseline": baseline, "unit": unit, **more}


def _told(town: Town, mode: str, service: str, names: list[str], *, share: float = 0.0, slower: float = 0.0) -> Story:
    ringing = slow(town, names[0], slower) if slower else failing(town, names[0], share)
    asked = slowness(town, names[0]) if slower else complaint(town, names[0])
    return Story(town, FailureMode(mode), service, alarm=ringing, question=asked)


@family("connections-used-up", "connection_exhaustion", unfit=("faint",))
def connections_used_up(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 2))
    client, share = names[-1], town.dice.between(0.15, 0.4)
    engine, limit = town.resource(name)["engine"], town.resource(name)["max_connections"]
    town.onset += 12
    town.moves(key, "DatabaseConnections", to=float(limit), rise="11m")
    late = {"delay": "11m", "rise": "60s"}
    town.fails(client, share, **late)
    town.slows(client, 4, **late)
    stamp = "<stamp> UTC:<ip>(4<n>):app@main:[<n>]:" if engine == "postgres" else "<ts> <n> [ERROR] "
    town.writes(key, stamp + _FULL[engine], rate=18, **late)
    town.says(client, town.dice.word(_POOL), rate=18, **late)
    town.spreads(client, share, 2.5, delay=660, rise="60s")
    return _told(town, "connection_exhaustion", name, names, share=share * 0.7 ** (len(names) - 1))


@family("query-slow", "slow_queries", unfit=("faint",))
def query_slow(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 2))
    client, factor = names[-1], town.dice.between(8, 16)
    town.moves(key, "CPUUtilization", to=town.dice.between(80, 93))
    town.moves(key, "ReadIOPS", times=town.dice.between(4, 8))
    town.moves(key, "ReadLatency", times=3)
    sql = town.dice.word(_SQL)
    town.writes(key, _LONG[town.resource(name)["engine"]].format(sql=sql), rate=14)
    town.slows(client, factor, delay="20s")
    town.says(client, f"statement took <slow> ms: {sql}", rate=10, level="WARN", delay="20s")
    town.spreads(client, 0.0, factor, delay=20)
    return _told(town, "slow_queries", name, names, slower=1 + (factor - 1) * 0.6 ** (len(names) - 1))


@family("rows-locked", "lock_contention", unfit=("faint",))
def rows_locked(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 2), metrics=[_extra("Deadlocks", 0.0, "Count/Second")])
    client, factor, share = names[-1], town.dice.between(10, 20), 0.08
    town.moves(key, "CPUUtilization", times=0.8)
    town.moves(key, "DatabaseConnections", times=1.9)
    town.moves(key, "Deadlocks", add=0.2)
    town.writes(key, *_LOCKED[town.resource(name)["engine"]], rate=12)
    town.slows(client, factor)
    town.fails(client, share, delay="60s")
    town.says(client, town.dice.word(_LOCK_SEEN), rate=14)
    town.spreads(client, share, factor, delay=10)
    return _told(town, "lock_contention", name, names, slower=1 + (factor - 1) * 0.6 ** (len(names) - 1))


@family("disk-full", "disk_exhaustion", unfit=("faint",))
def disk_full(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 2))
    client, share = names[-1], town.dice.between(0.2, 0.5)
    town.resource(name)["vitals"]["FreeStorageSpace"] = 9 * GIB
    town.onset += 35
    town.moves(key, "FreeStorageSpace", to=0.02 * GIB, rise="30m")
    late = {"delay": "30m", "rise": "40s"}
    town.moves(key, "WriteIOPS", times=0.1, **late)
    town.fails(client, share, **late)
    town.writes(key, _NO_SPACE[town.resource(name)["engine"]], rate=20, **late)
    town.says(client, town.dice.word(_READ_ONLY), rate=18, **late)
    town.spreads(client, share, delay=1800, rise="40s")
    return _told(town, "disk_exhaustion", name, names, share=share * 0.7 ** (len(names) - 1))


@family("disk-slow", "io_saturation", unfit=("faint",))
def disk_slow(town: Town) -> Story:
    extra = [_extra("BurstBalance", 99.0, "Percent", noise=0.002, seasonal=0.0)]
    names, name, key = _stored(town, town.dice.whole(0, 1), metrics=extra)
    client, factor = names[-1], town.dice.between(7, 14)
    town.moves(key, "BurstBalance", to=0.0, rise="3m")
    town.moves(key, "DiskQueueDepth", times=45)
    town.moves(key, "ReadLatency", times=25)
    town.moves(key, "WriteLatency", times=18)
    town.moves(key, "CPUUtilization", times=0.9)
    town.slows(client, factor, delay="30s")
    town.says(client, "statement took <slow> ms", rate=8, level="WARN", delay="30s")
    town.spreads(client, 0.0, factor, delay=30)
    return _told(town, "io_saturation", name, names, slower=1 + (factor - 1) * 0.6 ** (len(names) - 1))


@family("failed-over", "database_failover", unfit=("faint", "recovered", "gaps"))
def failed_over(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 2))
    client, share = names[-1], town.dice.between(0.5, 0.9)
    town.happens("reports", of=key, message="Multi-AZ instance failover started.", category="failover", delay="2s")
    town.happens("reports", of=key, message="DB instance restarted", category="availability", delay="40s")
    town.happens("reports", of=key, message="Multi-AZ instance failover completed", category="failover", delay="75s")
    town.moves(key, "DatabaseConnections", to=2.0)
    town.moves(key, "WriteIOPS", times=0.05)
    town.fails(client, share)
    town.says(client, town.dice.word(_CUT), rate=40)
    town.spreads(client, share)
    story = _told(town, "database_failover", name, names, share=share * 0.7 ** (len(names) - 1))
    story.alarm |= {"evaluation_periods": 1}
    story.fault |= {"lasts": f"{town.dice.whole(90, 160)}s", "recovery": "20s", "rise": "1s"}
    return story


@family("replica-behind", "replication_lag", unfit=("faint",))
def replica_behind(town: Town) -> Story:
    names, name, key = _stored(town, town.dice.whole(0, 1))
    replica = f"{name}-replica"
    lag = [_extra("ReplicaLag", 0.3, "Seconds", noise=0.3)]
    town.database(replica, town.resource(name)["engine"], metrics=lag, version=town.resource(name)["version"])
    town.needs(names[-1], replica)
    client, share = names[-1], town.dice.between(0.08, 0.2)
    town.moves(key, "WriteIOPS", times=town.dice.between(4, 7))
    town.moves(f"rds_instance:{replica}", "ReplicaLag", to=town.dice.between(240, 900), rise="8m")
    town.fails(client, share, delay="60s", rise="2m")
    town.says(client, town.dice.word(_STALE), rate=14, delay="60s")
    town.spreads(client, share, delay=60)
    return _told(town, "replication_lag", replica, names, share=share * 0.7 ** (len(names) - 1))


def _cached(town: Town) -> tuple[list[str], str, str]:
    names = town.chain(town.dice.whole(0, 1))
    store, cache = f"{names[-1]}-db", f"{names[-1]}-cache"
    town.database(store)
    town.plain("elasticache_cluster", cache)
    town.needs(names[-1], cache, store)
    town.everyday()
    town.moves(f"rds_instance:{store}", "CPUUtilization", times=2.0, delay="20s")
    town.moves(f"rds_instance:{store}", "ReadIOPS", times=3.5, delay="20s")
    return names, cache, f"elasticache_cluster:{cache}"


@family("cache-full", "cache_failure", unfit=("faint",))
def cache_full(town: Town) -> Story:
    names, cache, key = _cached(town)
    client, factor = names[-1], town.dice.between(5, 9)
    town.moves(key, "DatabaseMemoryUsagePercentage", to=99.8)
    town.moves(key, "Evictions", add=4200.0)
    town.moves(key, "CacheMisses", times=12)
    town.moves(key, "CacheHits", times=0.4)
    town.slows(client, factor, delay="20s")
    town.says(client, town.dice.word(_CACHE_FULL), rate=12, level="WARN")
    town.spreads(client, 0.0, factor, delay=20)
    return _told(town, "cache_failure", cache, names, slower=1 + (factor - 1) * 0.6 ** (len(names) - 1))


@family("cache-gone", "cache_failure", unfit=("faint",))
def cache_gone(town: Town) -> Story:
    names, cache, key = _cached(town)
    client, share, factor = names[-1], 0.1, town.dice.between(4, 8)
    town.moves(key, "CurrConnections", to=0.0)
    town.moves(key, "CacheHits", to=0.0)
    town.moves(key, "EngineCPUUtilization", to=1.0)
    town.slows(client, factor)
    town.fails(client, share)
    town.says(client, town.dice.word(_CACHE_DOWN), rate=24)
    town.spreads(client, share, factor)
    story = _told(town, "cache_failure", cache, names, share=share * 0.7 ** (len(names) - 1))
    because = "a cache that refuses every connection is a failed dependency of whoever calls it"
    story.accepted.append(Accepted(FailureMode.dependency_failure, cache, because))
    return story

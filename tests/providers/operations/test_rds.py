"""RDS: which database is ill, who writes, what RDS told, and what comes near to its limit."""

from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.rds import Clusters, Events, Instances, Usage
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

GIB = 1024**3


async def test_the_ill_instance_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Canned, in the form of the service model: moto's instances are always well."""
    aws.tells(
        "rds",
        "DescribeDBInstances",
        {
            "DBInstances": [
                {"DBInstanceIdentifier": "a-db", "DBInstanceStatus": "available", "Engine": "mysql"},
                {
                    "DBInstanceIdentifier": "b-db",
                    "DBInstanceStatus": "available",
                    "PendingModifiedValues": {"DBInstanceClass": "db.m5.large", "MasterUserPassword": "hunter2"},
                    "CertificateDetails": {"ValidTill": NOW + timedelta(days=12, hours=1)},
                },
                {
                    "DBInstanceIdentifier": "c-db",
                    "DBInstanceStatus": "storage-full",
                    "StatusInfos": [{"Status": "stopped", "Message": "replication has stopped"}],
                },
            ]
        },
    )
    result = await provider.ask(Instances())
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["c-db", "b-db", "a-db"]
    assert result.rows[0].facts["replication"] == ["stopped: replication has stopped"]
    assert result.rows[1].facts["pending_changes"] == {
        "DBInstanceClass": "db.m5.large",
        "MasterUserPassword": "[redacted]",
    }
    assert result.rows[1].facts["certificate_days_left"] == 12


async def test_an_instance_by_name_and_none(shop: Shop, provider: AwsProvider) -> None:
    assert (await provider.ask(Instances())).status is Status.no_data
    shop.database()
    shop.database("other-db")
    result = await provider.ask(Instances(name="orders-db"))
    assert [row.name for row in result.rows] == ["orders-db"]
    assert result.rows[0].facts["class"] == "db.t3.medium"
    gone = await provider.ask(Instances(name="gone-db"))
    assert gone.status is Status.no_data
    assert gone.message == "there is neither a DB instance nor a DB cluster gone-db"


async def test_a_cluster_s_name_means_its_members(shop: Shop, provider: AwsProvider) -> None:
    rds = shop.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="ledger", Engine="aurora-postgresql", MasterUsername="shop", MasterUserPassword="hunter2-22"
    )
    for name in ("ledger-1", "ledger-2"):
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBClusterIdentifier="ledger", Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip
    shop.database()
    result = await provider.ask(Instances(name="ledger"))
    assert [row.name for row in result.rows] == ["ledger-1", "ledger-2"]
    of_member = await provider.ask(Clusters(name="ledger-2"))
    assert [row.name for row in of_member.rows] == ["ledger"]
    alone = await provider.ask(Clusters(name="orders-db"))
    assert alone.status is Status.no_data


CLUSTER = {
    "DBClusterIdentifier": "ledger",
    "Status": "available",
    "Engine": "aurora-mysql",
    "DBClusterMembers": [
        {"DBInstanceIdentifier": "ledger-1", "IsClusterWriter": False, "PromotionTier": 1,
         "DBClusterParameterGroupStatus": "in-sync"},
        {"DBInstanceIdentifier": "ledger-2", "IsClusterWriter": True, "PromotionTier": 1,
         "DBClusterParameterGroupStatus": "pending-reboot"},
    ],
}  # fmt: skip


async def test_who_writes_and_that_it_failed_over(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto never fails over."""
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": [CLUSTER]})
    listed = [
        {"DBInstanceIdentifier": "ledger-1", "DBInstanceStatus": "rebooting", "AvailabilityZone": "us-east-1a"},
        {"DBInstanceIdentifier": "ledger-2", "DBInstanceStatus": "available", "AvailabilityZone": "us-east-1b"},
    ]
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": listed})
    event = {"SourceIdentifier": "ledger", "Message": "Completed failover to DB instance: ledger-2"}
    aws.tells("rds", "DescribeEvents", {"Events": [{**event, "Date": NOW - timedelta(minutes=20)}]})
    result = await provider.ask(Clusters())
    (row,) = result.rows
    assert row.facts["writer"] == "ledger-2"
    assert row.at == NOW - timedelta(minutes=20)
    assert "Completed failover to DB instance: ledger-2" in str(row.facts["failovers"])
    members = row.facts["members"]
    assert isinstance(members, list)
    assert members[0] == {
        "name": "ledger-1", "role": "reader", "status": "rebooting", "zone": "us-east-1a", "failover_tier": 1,
        "parameters": "in-sync",
    }  # fmt: skip


async def test_a_cluster_whose_events_may_not_be_read(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": [CLUSTER]})
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": []})
    aws.refuses_xml("DescribeEvents", "AccessDenied", "no", 403)
    result = await provider.ask(Clusters())
    assert result.status is Status.truncated
    assert result.rows[0].facts["writer"] == "ledger-2"
    assert "rds:DescribeEvents" in result.message


async def test_grave_events_come_before_backups(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto has backup events only."""
    minutes = timedelta(minutes=1)
    told = [
        {"SourceIdentifier": "orders-db", "Message": "Backing up DB instance", "Date": NOW - minutes,
         "EventCategories": ["backup"]},
        {"SourceIdentifier": "orders-db", "Message": "The free storage capacity is low", "Date": NOW - 30 * minutes,
         "EventCategories": ["low storage"]},
        {"SourceIdentifier": "other-db", "Message": "DB instance restarted", "Date": NOW - 2 * minutes,
         "EventCategories": ["availability"]},
    ]  # fmt: skip
    aws.tells("rds", "DescribeEvents", {"Events": told})
    result = await provider.ask(Events())
    assert [row.facts["categories"] for row in result.rows] == [["low storage"], ["availability"], ["backup"]]
    one = await provider.ask(Events(name="other-db"))
    assert [row.facts["message"] for row in one.rows] == ["DB instance restarted"]
    none = await provider.ask(Events(name="quiet-db"))
    assert none.status is Status.no_data
    assert "14 days" in none.message


async def test_what_is_nearest_to_its_limit(shop: Shop, provider: AwsProvider) -> None:
    shop.database(MaxAllocatedStorage=100, StorageType="gp3")
    shop.database("other-db", size="db.r5.large")
    orders, other = {"DBInstanceIdentifier": "orders-db"}, {"DBInstanceIdentifier": "other-db"}
    shop.points("AWS/RDS", "DatabaseConnections", orders, [100.0, 430.0, 200.0])
    shop.points("AWS/RDS", "FreeStorageSpace", orders, [9.0 * GIB, 8.0 * GIB, 8.5 * GIB])
    shop.points("AWS/RDS", "ReadIOPS", orders, [500.0, 600.0, 10.0])
    shop.points("AWS/RDS", "CPUUtilization", other, [20.0, 40.0, 30.0])
    result = await provider.ask(Usage())
    first, second = result.rows
    assert (first.name, second.name) == ("orders-db", "other-db")
    assert first.facts["nearest_limit"] == "connections"
    assert first.facts["nearest_limit_percent"] == 95.6
    assert first.facts["max_connections"] == 450
    assert first.facts["percent_of_limit"] == {"connections": 95.6, "storage": 60, "iops": 20}
    assert (first.facts["storage_free_least_gib"], first.facts["storage_gib"]) == (8, 20)
    assert (first.facts["iops_limit"], first.facts["throughput_limit_mib_s"]) == (3000, 125)
    assert second.facts["cpu_peak_percent"] == 40
    assert second.facts["vcpus"] == 2


async def test_limits_without_metrics_are_told_with_what_was_not_seen(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.database()
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(Usage(name="orders-db"))
    assert result.status is Status.truncated
    assert result.rows[0].facts["max_connections"] == 450
    assert "nearest_limit" not in result.rows[0].facts
    assert "cloudwatch:GetMetricData" in result.message

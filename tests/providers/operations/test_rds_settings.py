"""RDS: parameters that somebody set, what is pending, and what could be restored."""

from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.rds_settings import Parameters, Pending, Snapshots
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

DEFAULTS = {
    "EngineDefaults": {
        "Parameters": [
            {"ParameterName": "max_connections", "ParameterValue": "LEAST({DBInstanceClassMemory/9531392},5000)"},
            {"ParameterName": "work_mem", "ParameterValue": "4096"},
        ]
    }
}


def _parameter(name: str, value: str, apply: str = "dynamic", method: str = "immediate") -> dict[str, str]:
    return {"ParameterName": name, "ParameterValue": value, "Source": "user", "ApplyType": apply, "ApplyMethod": method}


def _instance(aws: StandIn, state: str = "pending-reboot", group: str = "small") -> None:
    told = {
        "DBInstanceIdentifier": "orders-db",
        "DBInstanceClass": "db.t3.medium",
        "DBParameterGroups": [{"DBParameterGroupName": group, "ParameterApplyStatus": state}],
    }
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [told]})
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": []})


async def test_what_differs_from_the_default_and_waits_for_a_reboot(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto knows no engine defaults and no states of groups."""
    _instance(aws)
    own = [
        _parameter("work_mem", "4096"),
        _parameter("log_min_duration_statement", "250"),
        _parameter("max_connections", "{DBInstanceClassMemory/12582880}", "static", "pending-reboot"),
    ]
    aws.tells("rds", "DescribeDBParameters", {"Parameters": own})
    groups = [{"DBParameterGroupName": "small", "DBParameterGroupFamily": "postgres15"}]
    aws.tells("rds", "DescribeDBParameterGroups", {"DBParameterGroups": groups})
    aws.tells("rds", "DescribeEngineDefaultParameters", DEFAULTS)
    result = await provider.ask(Parameters(name="orders-db"))
    assert result.status is Status.ok, result.message
    assert [row.name for row in result.rows] == ["max_connections", "log_min_duration_statement"]
    first = result.rows[0].facts
    assert first["waits_for_reboot"] is True
    assert first["amounts_to"] == 341
    assert first["default"] == "LEAST({DBInstanceClassMemory/9531392},5000)"
    assert "Source=user" in aws.asked("DescribeDBParameters")[0].body


async def test_without_the_defaults_what_was_set_is_told_all_the_same(aws: StandIn, provider: AwsProvider) -> None:
    _instance(aws, "in-sync")
    aws.tells("rds", "DescribeDBParameters", {"Parameters": [_parameter("work_mem", "4096")]})
    aws.refuses_xml("DescribeDBParameterGroups", "AccessDenied", "no", 403)
    result = await provider.ask(Parameters(name="orders-db"))
    assert result.status is Status.truncated
    assert [row.name for row in result.rows] == ["work_mem"]
    assert "rds:DescribeDBParameterGroups" in result.message


async def test_a_default_group_is_not_read(aws: StandIn, provider: AwsProvider) -> None:
    _instance(aws, "in-sync", "default.postgres15")
    result = await provider.ask(Parameters(name="orders-db"))
    assert result.status is Status.no_data
    assert result.message == "every parameter of default.postgres15 has its default"
    assert not aws.asked("DescribeDBParameters")


async def test_a_cluster_s_parameters(aws: StandIn, provider: AwsProvider) -> None:
    """Canned, as above."""
    member = {"DBInstanceIdentifier": "ledger-1", "IsClusterWriter": True, "DBClusterParameterGroupStatus": "in-sync"}
    cluster = {"DBClusterIdentifier": "ledger", "DBClusterParameterGroup": "tuned", "DBClusterMembers": [member]}
    instance = {"DBInstanceIdentifier": "ledger-1", "DBClusterIdentifier": "ledger", "DBParameterGroups": []}
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": [cluster]})
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    aws.tells("rds", "DescribeDBClusterParameters", {"Parameters": [_parameter("rds.logical_replication", "1")]})
    groups = [{"DBClusterParameterGroupName": "tuned", "DBParameterGroupFamily": "aurora-postgresql15"}]
    aws.tells("rds", "DescribeDBClusterParameterGroups", {"DBClusterParameterGroups": groups})
    aws.tells("rds", "DescribeEngineDefaultClusterParameters", DEFAULTS)
    result = await provider.ask(Parameters(name="ledger"))
    assert result.status is Status.ok, result.message
    (row,) = result.rows
    assert (row.name, row.facts["value"], row.facts["group"]) == ("rds.logical_replication", "1", "tuned")


async def test_what_is_pending_the_nearest_date_first(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto has no maintenance."""
    _instance(aws)
    days = timedelta(days=1)
    actions = [
        {"Action": "system-update", "AutoAppliedAfterDate": NOW + 9 * days, "Description": "New OS update"},
        {"Action": "ca-certificate-rotation", "ForcedApplyDate": NOW + 2 * days},
    ]
    arn = "arn:aws-cn:rds:cn-north-1:1:db:orders-db"
    listed = [{"ResourceIdentifier": arn, "PendingMaintenanceActionDetails": actions}]
    aws.tells("rds", "DescribePendingMaintenanceActions", {"PendingMaintenanceActions": listed})
    for name in (None, "orders-db"):
        result = await provider.ask(Pending(name=name))
        assert [row.facts.get("action", row.facts["what"]) for row in result.rows] == [
            "ca-certificate-rotation",
            "system-update",
            "parameters wait for a reboot",
        ]


async def test_nothing_pending(shop: Shop, aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not know DescribePendingMaintenanceActions."""
    shop.database()
    aws.tells("rds", "DescribePendingMaintenanceActions", {"PendingMaintenanceActions": []})
    result = await provider.ask(Pending())
    assert result.status is Status.no_data
    assert result.message == "nothing is pending"


async def test_how_far_back_it_could_be_restored(shop: Shop, provider: AwsProvider) -> None:
    shop.database(BackupRetentionPeriod=7)
    shop.database("other-db", BackupRetentionPeriod=0)
    shop.client("rds").create_db_snapshot(DBInstanceIdentifier="orders-db", DBSnapshotIdentifier="before-release")
    result = await provider.ask(Snapshots())
    assert [row.name for row in result.rows] == ["other-db", "orders-db"]
    assert result.rows[0].facts["backups_kept_days"] == 0
    assert result.rows[1].facts["latest_snapshot"] == "before-release"
    one = await provider.ask(Snapshots(name="orders-db"))
    assert [row.name for row in one.rows] == ["orders-db"]


async def test_snapshots_that_may_not_be_listed(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.database()
    aws.refuses_xml("DescribeDBSnapshots", "AccessDenied", "no", 403)
    result = await provider.ask(Snapshots())
    assert result.status is Status.truncated
    assert "rds:DescribeDBSnapshots" in result.message

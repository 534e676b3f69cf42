"""EC2's instances, volumes and network, against moto, which has all of these calls; trouble is told by the stand-in."""

from base64 import b64encode
from datetime import timedelta

import pytest

from runbook_bot.domain.asking import Question
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.operations.ec2 import ConsoleOutput, Instances, InstanceStatus
from runbook_bot.providers.aws.operations.ec2_network import (
    NetworkInterfaces,
    SecurityGroupRules,
    SecurityGroups,
    Subnets,
)
from runbook_bot.providers.aws.operations.ec2_reach import WhoMayReach
from runbook_bot.providers.aws.operations.ec2_volumes import Volumes
from runbook_bot.providers.aws.operations.filling import filled
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.estate import Estate
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


@pytest.fixture
def estate(shop: Shop) -> Estate:
    return Estate(shop)


async def test_instances_that_do_not_run_come_first(estate: Estate, provider: AwsProvider) -> None:
    first, second, third = estate.machines(3, name="wörker/1")
    estate.client("ec2").stop_instances(InstanceIds=[second])
    result = await provider.ask(Instances(name="wörker/*"))
    assert result.status is Status.ok
    assert [row.facts["state"] for row in result.rows] == ["stopped", "running", "running"]
    assert result.rows[0].facts["id"] == second
    assert {row.facts["id"] for row in result.rows[1:]} == {first, third}
    assert {row.name for row in result.rows} == {"wörker/1"}
    assert result.rows[1].facts["security_groups"] == [estate.groups["application"]]
    assert "reason" not in result.rows[1].facts
    assert result.console is not None
    assert "ec2/home?region=us-east-1#Instances:" in result.console


async def test_an_instance_that_is_gone_does_not_hide_the_others(estate: Estate, provider: AwsProvider) -> None:
    (here,) = estate.machines(1)
    result = await provider.ask(Instances(ids=(here, "i-00000000000000000")))
    assert [row.facts["id"] for row in result.rows] == [here]


async def test_no_instance(aws: StandIn, provider: AwsProvider) -> None:
    result = await provider.ask(Instances(group="web"))
    assert result.status is Status.no_data
    assert "terminated" in result.message


async def test_impaired_instances_and_coming_events_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's instances are always well."""
    since, retires = NOW - timedelta(minutes=9), NOW + timedelta(days=2)
    well = {"SystemStatus": {"Status": "ok"}, "InstanceStatus": {"Status": "ok"}}
    over = {"Code": "system-reboot", "Description": "[Completed] reboot"}
    failing = {"Name": "reachability", "Status": "failed", "ImpairedSince": since}
    aws.tells(
        "ec2",
        "DescribeInstanceStatus",
        {
            "InstanceStatuses": [
                {"InstanceId": "i-well", **well, "Events": [over]},
                {
                    "InstanceId": "i-retired",
                    **well,
                    "Events": [
                        {"Code": "instance-retirement", "Description": "degraded hardware", "NotBefore": retires}
                    ],
                },
                {
                    "InstanceId": "i-ill",
                    "SystemStatus": {"Status": "impaired", "Details": [failing]},
                    "InstanceStatus": {"Status": "ok"},
                },
            ]
        },
    )
    result = await provider.ask(InstanceStatus())
    assert {row.name for row in result.rows[:2]} == {"i-retired", "i-ill"}
    ill = next(row for row in result.rows if row.name == "i-ill")
    assert ill.at == since
    assert ill.facts["system_check"] == "impaired"
    retired = next(row for row in result.rows if row.name == "i-retired")
    assert "instance-retirement: degraded hardware, from " in str(retired.facts["events"])
    assert result.rows[2].name == "i-well"
    assert "events" not in result.rows[2].facts


async def test_status_checks_of_running_instances(estate: Estate, provider: AwsProvider) -> None:
    ids = estate.machines(2)
    result = await provider.ask(InstanceStatus(ids=(ids[0],)))
    assert [(row.name, row.facts["system_check"], row.facts["state"]) for row in result.rows] == [
        (ids[0], "ok", "running")
    ]
    gone = await provider.ask(InstanceStatus(ids=("i-00000000000000000",)))
    assert gone.status is Status.no_data


async def test_the_console_s_tail_and_what_tells_of_trouble_without_secrets(
    aws: StandIn, provider: AwsProvider
) -> None:
    """Moto says always the same."""
    lines = ["[ 1.0] Out of memory: Killed process 712 (java)", *(f"line {i}" for i in range(60))]
    text = "\n".join([*lines, "password: hunter2-really", "\x1b[0;32mlogin:\x1b[0m"])
    aws.tells("ec2", "GetConsoleOutput", {"InstanceId": "i-1", "Output": _base64(text), "Timestamp": NOW})
    result = await provider.ask(ConsoleOutput(id="i-1", lines=5))
    (row,) = result.rows
    assert row.facts["trouble"] == [lines[0]]
    tail = row.facts["tail"]
    assert isinstance(tail, list)
    assert tail[:3] == ["line 57", "line 58", "line 59"]
    assert row.facts["lines_before"] == 58
    assert "hunter2" not in str(result)
    assert row.at == NOW


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


async def test_a_console_that_cannot_be_read_live_is_read_as_it_was_kept(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("ec2", "GetConsoleOutput", {"InstanceId": "i-1"})
    kept = aws.answers["GetConsoleOutput"]
    aws.refuses_xml("GetConsoleOutput", "UnsupportedOperation", "not on this hypervisor")
    refused = aws.answers["GetConsoleOutput"]
    aws.answers["GetConsoleOutput"] = lambda body: refused(body) if "Latest=true" in body else kept(body)
    result = await provider.ask(ConsoleOutput(id="i-1"))
    assert result.status is Status.no_data
    assert "no console output" in result.message
    assert len(aws.asked("GetConsoleOutput")) == 2


async def test_what_is_open_to_the_world_comes_first(estate: Estate, provider: AwsProvider) -> None:
    estate.network()
    result = await provider.ask(SecurityGroups(vpc=estate.vpc))
    assert result.rows[0].name == "front"
    assert result.rows[0].facts["open_to_world"] == ["tcp 443"]
    assert {row.name for row in result.rows} == {"front", "application", "database", "default"}
    named = await provider.ask(SecurityGroups(groups=("database", estate.groups["front"], "no-such")))
    assert [row.name for row in named.rows] == ["front", "database"]
    none = await provider.ask(SecurityGroups(groups=("no-such",)))
    assert (none.status, none.message) == (Status.no_data, "no security group fits")


async def test_rules_one_by_one(estate: Estate, provider: AwsProvider) -> None:
    estate.network()
    result = await provider.ask(SecurityGroupRules(groups=("database", "front"), direction="in"))
    assert [(row.name, row.facts["ports"], row.facts["from"]) for row in result.rows] == [
        ("front", "443", "0.0.0.0/0"),
        ("database", "5432", "192.0.2.0/24"),
        ("database", "5432", estate.prefixes),
        ("database", "5432", estate.groups["application"]),
    ]
    assert result.rows[1].facts["description"] == "the office in Zürich"
    leaving = await provider.ask(SecurityGroupRules(groups=("front",), direction="out"))
    assert [(row.facts["protocol"], row.facts["ports"], row.facts["to"]) for row in leaving.rows] == [
        ("all", "all", "0.0.0.0/0")
    ]


async def test_who_may_reach_the_database(estate: Estate, provider: AwsProvider) -> None:
    machines = estate.machines(2)
    result = await provider.ask(WhoMayReach(port=5432, groups=("database",)))
    assert result.status is Status.ok
    office, listed, application = result.rows
    assert office.name == "192.0.2.0/24"
    assert (listed.name, listed.facts["inside"]) == (estate.prefixes, "198.51.100.0/24")
    assert (application.name, application.facts["who"]) == (estate.groups["application"], "application")
    assert application.facts["interfaces"] == 2
    assert set(str(application.facts["inside"]).split(", ")) == set(machines)
    assert "database" in str(application.facts["by_group"])
    shut = await provider.ask(WhoMayReach(port=3306, groups=("database",)))
    assert (shut.status, shut.message) == (Status.no_data, "nothing is let in on tcp 3306")


async def test_who_may_reach_a_thing_by_its_name(estate: Estate, provider: AwsProvider) -> None:
    (machine,) = estate.machines(1, group="front")
    what = Resource(type=ResourceType.ec2_instance, name=machine)
    result = await provider.ask(WhoMayReach(port=443, resource=what))
    assert [(row.name, row.facts["who"]) for row in result.rows] == [("0.0.0.0/0", "the whole internet")]
    estate.shop.database(VpcSecurityGroupIds=[estate.groups["database"]])
    database = Resource(type=ResourceType.rds_instance, name="orders-db")
    behind = await provider.ask(WhoMayReach(port=5432, resource=database))
    assert "192.0.2.0/24" in {row.name for row in behind.rows}
    own_port = await provider.ask(WhoMayReach(resource=database))
    assert [row.name for row in own_port.rows] == [row.name for row in behind.rows]
    bucket = await provider.ask(WhoMayReach(port=443, resource=Resource(type=ResourceType.s3_bucket, name="b")))
    assert bucket.status is Status.error
    assert "name the groups or an address" in bucket.message


async def test_who_is_inside_a_group_may_be_hidden(aws: StandIn, estate: Estate, provider: AwsProvider) -> None:
    estate.network()
    aws.refuses_xml("DescribeNetworkInterfaces", "UnauthorizedOperation", "You are not authorized")
    result = await provider.ask(WhoMayReach(port=5432, groups=("database",)))
    assert result.status is Status.truncated
    assert len(result.rows) == 3
    assert "ec2:DescribeNetworkInterfaces" in result.message


async def test_whose_address_it_is(estate: Estate, provider: AwsProvider) -> None:
    (machine,) = estate.machines(1)
    address = estate.client("ec2").describe_instances()["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    result = await provider.ask(NetworkInterfaces(address=address))
    assert [row.facts["belongs_to"] for row in result.rows] == [machine]
    assert address in str(result.rows[0].facts["private_addresses"])
    assert (await provider.ask(NetworkInterfaces(address="10.9.9.9"))).status is Status.no_data


async def test_the_fullest_subnet_first(estate: Estate, provider: AwsProvider) -> None:
    estate.machines(3)
    result = await provider.ask(Subnets(vpc=estate.vpc))
    assert [row.facts["id"] for row in result.rows] == estate.subnets
    assert result.rows[0].facts["free_addresses"] == 8
    assert result.rows[0].facts["used_percent"] == pytest.approx(27.3)


async def test_volumes_with_what_is_left_of_their_burst(aws: StandIn, estate: Estate, provider: AwsProvider) -> None:
    (machine,) = estate.machines(1)
    ec2 = estate.client("ec2")
    spare = ec2.create_volume(AvailabilityZone="us-east-1a", Size=50, VolumeType="gp2")["VolumeId"]
    busy = ec2.create_volume(AvailabilityZone="us-east-1a", Size=100, VolumeType="gp2")["VolumeId"]
    ec2.attach_volume(VolumeId=busy, InstanceId=machine, Device="/dev/sdf")
    estate.shop.points("AWS/EBS", "BurstBalance", {"VolumeId": busy}, [80, 40, 3])
    result = await provider.ask(Volumes())
    rows = {row.name: row.facts for row in result.rows}
    assert result.rows[0].name == busy
    assert rows[busy]["burst_balance_percent"] == 3
    assert rows[busy]["burst_up_to_iops"] == 3000
    assert rows[busy]["attached_to"] == [f"{machine} as /dev/sdf"]
    assert (rows[spare]["state"], rows[spare]["attached_to"]) == ("available", "nothing")
    of_machine = await provider.ask(Volumes(instance=machine))
    assert spare not in {row.name for row in of_machine.rows}


async def test_volumes_whose_health_is_denied_are_told_all_the_same(
    aws: StandIn, estate: Estate, provider: AwsProvider
) -> None:
    estate.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=50, VolumeType="gp3")
    aws.refuses_xml("DescribeVolumeStatus", "UnauthorizedOperation", "You are not authorized")
    result = await provider.ask(Volumes())
    assert result.status is Status.truncated
    assert "ec2:DescribeVolumeStatus" in result.message
    assert len(result.rows) == 1


async def test_an_ill_volume_and_one_that_is_being_changed(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's volumes are always well."""
    aws.tells(
        "ec2",
        "DescribeVolumes",
        {"Volumes": [{"VolumeId": "vol-1", "State": "in-use"}, {"VolumeId": "vol-2", "State": "in-use"}]},
    )
    details = [{"Name": "io-enabled", "Status": "failed"}, {"Name": "io-performance", "Status": "normal"}]
    ill = {"VolumeId": "vol-2", "VolumeStatus": {"Status": "impaired", "Details": details}}
    aws.tells("ec2", "DescribeVolumeStatus", {"VolumeStatuses": [ill]})
    change = {
        "VolumeId": "vol-1",
        "ModificationState": "optimizing",
        "Progress": 40,
        "OriginalSize": 10,
        "TargetSize": 20,
    }
    aws.tells("ec2", "DescribeVolumesModifications", {"VolumesModifications": [change]})
    result = await provider.ask(Volumes())
    assert [row.name for row in result.rows] == ["vol-2", "vol-1"]
    assert result.rows[0].facts["failing"] == ["io-enabled: failed"]
    assert str(result.rows[1].facts["change"]).startswith("optimizing 40 % (10 → 20 GiB")


async def test_denied_names_the_permission_and_the_operation_goes_on_elsewhere(
    aws: StandIn, provider: AwsProvider
) -> None:
    told = "You are not authorized to perform: ec2:DescribeInstances"
    aws.refuses_xml("DescribeInstances", "UnauthorizedOperation", told, 403)
    result = await provider.ask(Instances())
    assert result.status is Status.denied
    assert "ec2:DescribeInstances" in result.message


def test_the_words_name_the_resource_and_the_address() -> None:
    database = Resource(type=ResourceType.rds_instance, name="orders-db")
    logs = Resource(type=ResourceType.log_group, name="/rds/orders-db")
    asked = Question("who may reach port 5432 of orders-db", ServiceGraph(), NOW, resources=(database, logs))
    assert filled(WhoMayReach, asked).queries == [WhoMayReach(port=5432, resource=database)]
    whose = Question("whose address is 10.0.1.23?", ServiceGraph(), NOW)
    assert filled(NetworkInterfaces, whose).queries == [NetworkInterfaces(address="10.0.1.23")]


async def test_health_is_asked_for_by_id_since_no_filter_takes_a_volume(
    aws: StandIn, estate: Estate, provider: AwsProvider
) -> None:
    """EC2's own filters of this call, by its service model's text; moto takes any."""
    made = estate.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=50, VolumeType="gp3")["VolumeId"]
    await provider.ask(Volumes())
    (call,) = aws.asked("DescribeVolumeStatus")
    assert f"VolumeId.1={made}" in call.body
    assert "Filter" not in call.body


async def test_an_impaired_instance_comes_before_one_with_an_event(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto's instances are always well."""
    event = {"Code": "system-reboot", "Description": "scheduled reboot"}
    told = [
        {"InstanceId": "i-1", "SystemStatus": {"Status": "ok"}},
        {"InstanceId": "i-2", "SystemStatus": {"Status": "ok"}, "Events": [event]},
        {"InstanceId": "i-3", "SystemStatus": {"Status": "impaired"}},
    ]
    aws.tells("ec2", "DescribeInstanceStatus", {"InstanceStatuses": told})
    result = await provider.ask(InstanceStatus())
    assert [row.name for row in result.rows] == ["i-3", "i-2", "i-1"]


async def test_an_interface_of_ipv6_alone_has_no_private_address(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto gives every interface one."""
    aws.tells("ec2", "DescribeNetworkInterfaces", {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]})
    result = await provider.ask(NetworkInterfaces())
    assert "private_addresses" not in result.rows[0].facts

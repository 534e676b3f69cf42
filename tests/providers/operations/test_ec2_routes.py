"""Route tables and network ACLs, against moto; what moto cannot be in is told by the stand-in."""

from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.ec2_routes import NetworkAcls, RouteTables
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def network(shop: Shop) -> tuple[Any, str, str]:
    """EC2, and a VPC with one subnet in it."""
    ec2 = shop.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return ec2, vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


async def test_the_routes_of_a_subnet_of_its_own_table(shop: Shop, provider: AwsProvider) -> None:
    ec2, vpc, subnet = network(shop)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    result = await provider.ask(RouteTables(subnet=subnet))
    assert result.status is Status.ok, result.message
    (row,) = result.rows
    assert row.facts["id"] == table
    assert row.facts["to_the_internet"] == gateway
    assert row.facts["routes"] == ["10.0.0.0/16 → local", f"0.0.0.0/0 → {gateway}"]
    assert row.facts["subnets"] == subnet


async def test_a_subnet_without_a_table_of_its_own_uses_the_main_one(shop: Shop, provider: AwsProvider) -> None:
    _, vpc, subnet = network(shop)
    result = await provider.ask(RouteTables(subnet=subnet))
    (row,) = result.rows
    assert (row.facts["main"], row.facts["vpc"], row.facts["to_the_internet"]) == (True, vpc, "no route")
    gone = await provider.ask(RouteTables(subnet="subnet-00000000000000000"))
    assert gone.status is Status.no_data


async def test_a_route_that_leads_nowhere_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto's routes are always active."""
    dead = {"DestinationCidrBlock": "10.9.0.0/16", "VpcPeeringConnectionId": "pcx-1", "State": "blackhole"}
    failed = {"SubnetId": "subnet-1", "AssociationState": {"State": "failed", "StatusMessage": "no room"}}
    told = [
        {"RouteTableId": "rtb-1", "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}]},
        {"RouteTableId": "rtb-2", "Routes": [dead], "Associations": [failed]},
    ]
    aws.tells("ec2", "DescribeRouteTables", {"RouteTables": told})
    result = await provider.ask(RouteTables())
    assert [row.name for row in result.rows] == ["rtb-2", "rtb-1"]
    assert result.rows[0].facts["warnings"] == [
        "leads nowhere: 10.9.0.0/16 → pcx-1",
        "its use by subnet-1 failed: no room",
    ]


async def test_a_list_that_lets_no_answer_out_comes_first(shop: Shop, provider: AwsProvider) -> None:
    ec2, vpc, _ = network(shop)
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    common = {"NetworkAclId": acl, "Protocol": "6", "CidrBlock": "10.0.0.0/8"}
    https = {"From": 443, "To": 443}
    ec2.create_network_acl_entry(**common, RuleNumber=100, RuleAction="allow", Egress=False, PortRange=https)
    ec2.create_network_acl_entry(
        **common, RuleNumber=110, RuleAction="deny", Egress=False, PortRange={"From": 1, "To": 99}
    )
    ec2.create_network_acl_entry(**common, RuleNumber=100, RuleAction="allow", Egress=True, PortRange=https)
    result = await provider.ask(NetworkAcls(vpc=vpc))
    first, default = result.rows
    assert first.facts["id"] == acl
    assert first.facts["warnings"] == [
        "lets no answer in: no rule allows tcp ports 1024 to 65535",
        "refuses 110 deny tcp 1-99 from 10.0.0.0/8",
        "lets no answer out: no rule allows tcp ports 1024 to 65535",
    ]
    assert list(first.facts["in"])[:2] == ["100 allow tcp 443 from 10.0.0.0/8", "110 deny tcp 1-99 from 10.0.0.0/8"]  # type: ignore[arg-type]  # a list of texts
    assert "warnings" not in default.facts
    assert "* deny all from 0.0.0.0/0" in list(default.facts["in"])  # type: ignore[arg-type]  # a list of texts


async def test_lists_that_may_not_be_read(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses_xml("DescribeNetworkAcls", "UnauthorizedOperation", "You are not authorized", 403)
    result = await provider.ask(NetworkAcls())
    assert result.status is Status.denied
    assert "ec2:DescribeNetworkAcls" in result.message

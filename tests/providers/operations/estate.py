"""A compute estate in a simulated AWS: a network, machines, a scaling group, a container and a Kubernetes cluster."""

from dataclasses import dataclass, field
from typing import Any

from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import FixedClock
from tests.providers.shop import Shop

IMAGE = "ami-03cf127a"
"""One that moto knows."""


def anew() -> AwsProvider:
    """A provider that remembers no answer."""
    return AwsProvider(AwsSettings(), FixedClock())


@dataclass
class Estate:
    """Fills what a test asks for, through boto3 as anybody would."""

    shop: Shop
    subnets: list[str] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.shop.client(service)

    def network(self) -> None:
        """A VPC of two small subnets; who may reach the database: the application, an office, a prefix list."""
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{i}.0/28", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]["SubnetId"]
            for i, zone in enumerate("ab")
        ]
        for name in ("front", "application", "database"):
            self.groups[name] = ec2.create_security_group(GroupName=name, Description=f"{name}s", VpcId=self.vpc)[
                "GroupId"
            ]
        self.prefixes = ec2.create_managed_prefix_list(
            PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "198.51.100.0/24"}]
        )["PrefixList"]["PrefixListId"]
        self._let_in("front", FromPort=443, ToPort=443, IpRanges=[{"CidrIp": "0.0.0.0/0", "Description": "everybody"}])
        self._let_in("application", FromPort=8080, ToPort=8090, UserIdGroupPairs=[{"GroupId": self.groups["front"]}])
        self._let_in(
            "database",
            FromPort=5432,
            ToPort=5432,
            IpRanges=[{"CidrIp": "192.0.2.0/24", "Description": "the office in Zürich"}],
            UserIdGroupPairs=[{"GroupId": self.groups["application"]}],
            PrefixListIds=[{"PrefixListId": self.prefixes}],
        )

    def _let_in(self, name: str, **permission: Any) -> None:
        self.client("ec2").authorize_security_group_ingress(
            GroupId=self.groups[name], IpPermissions=[{"IpProtocol": "tcp", **permission}]
        )

    def machines(self, count: int = 2, name: str = "worker", group: str = "application") -> list[str]:
        if not self.subnets:
            self.network()
        told = self.client("ec2").run_instances(
            ImageId=IMAGE,
            MinCount=count,
            MaxCount=count,
            InstanceType="t3.micro",
            SubnetId=self.subnets[0],
            SecurityGroupIds=[self.groups[group]],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
        )
        return [str(each["InstanceId"]) for each in told["Instances"]]

    def scaling_group(self, name: str = "web", most: int = 4) -> None:
        """Two instances of a template behind it."""
        if not self.subnets:
            self.network()
        self.client("ec2").create_launch_template(
            LaunchTemplateName=f"{name}-template", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.micro"}
        )
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": f"{name}-template", "Version": "1"},
            MinSize=1,
            MaxSize=most,
            DesiredCapacity=2,
            VPCZoneIdentifier=",".join(self.subnets),
        )

    def kubernetes(self, name: str = "prod") -> None:
        """A cluster of one node group and one Fargate profile."""
        if not self.subnets:
            self.network()
        eks, role = self.client("eks"), "arn:aws:iam::123456789012:role/eks"
        eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": self.subnets})
        eks.create_nodegroup(
            clusterName=name,
            nodegroupName="workers",
            subnets=self.subnets,
            nodeRole=role,
            scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2},
        )
        eks.create_fargate_profile(
            clusterName=name,
            fargateProfileName="batch",
            podExecutionRoleArn=role,
            selectors=[{"namespace": "jobs", "labels": {"team": "größe"}}],
        )

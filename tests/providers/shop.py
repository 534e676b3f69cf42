"""A small shop in a simulated AWS, seeded through boto3 as anybody would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType

CHECKOUT = Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout-api")
CHECKOUT_GROUP = Resource(type=ResourceType.target_group, name="checkout-api")
ORDERS_DB = Resource(type=ResourceType.rds_instance, name="orders-db")
RECEIPTS = Resource(type=ResourceType.lambda_function, name="receipts")


@dataclass
class Shop:
    """Clients that go straight to moto, past whatever a test makes the stand-in say."""

    endpoint: str
    now: datetime

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.endpoint)

    def network(self) -> tuple[list[str], str]:
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
            for i, zone in enumerate("ab")
        ]
        self.vpc = vpc
        group = ec2.create_security_group(GroupName="shop", Description="shop", VpcId=vpc)["GroupId"]
        return [each["SubnetId"] for each in subnets], group

    def revision(
        self, image: str = "shop/checkout:2.4.0", environment: Mapping[str, str] | None = None, **more: Any
    ) -> str:
        """Registers a revision of `checkout-api` and returns `family:number`."""
        container = {
            "name": "app",
            "image": image,
            "essential": True,
            "environment": [{"name": k, "value": v} for k, v in (environment or {"POOL_SIZE": "20"}).items()],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/checkout-api", "awslogs-region": "us-east-1"},
            },
        }
        told = self.client("ecs").register_task_definition(
            family=more.pop("family", "checkout-api"),
            cpu="256",
            memory=more.pop("memory", "512"),
            networkMode="awsvpc",
            containerDefinitions=[container],
            **more,
        )["taskDefinition"]
        return f"{told['family']}:{told['revision']}"

    def service(self, revision: str, name: str = "checkout-api", count: int = 4, **more: Any) -> None:
        ecs = self.client("ecs")
        if not ecs.describe_clusters(clusters=["prod"])["clusters"]:
            ecs.create_cluster(clusterName="prod")
        subnets, group = self.network()
        ecs.create_service(
            cluster="prod",
            serviceName=name,
            taskDefinition=revision,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
            **more,
        )

    def balanced(self, name: str = "checkout-api") -> tuple[str, str, str]:
        """A target group behind a load balancer: its ARN and the two dimensions CloudWatch would use."""
        subnets, group = self.network()
        elb = self.client("elbv2")
        target = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc)["TargetGroups"][0]
        balancer = elb.create_load_balancer(Name="front", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"][0]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target["TargetGroupArn"]}],
        )
        arn = target["TargetGroupArn"]
        return arn, "targetgroup/" + arn.partition(":targetgroup/")[2], balancer["LoadBalancerArn"].partition("/")[2]

    def database(self, name: str = "orders-db", size: str = "db.t3.medium", **more: Any) -> str:
        """Returns the host."""
        told = self.client("rds").create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass=size,
            AllocatedStorage=20,
            MasterUsername="shop",
            MasterUserPassword="correct-horse",
            **more,
        )["DBInstance"]
        return str(told["Endpoint"]["Address"])

    def function(self, name: str = "receipts", **more: Any) -> None:
        role = self.client("iam").create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": b"PK\x05\x06" + b"\x00" * 18},
            **more,
        )

    def points(self, namespace: str, name: str, dimensions: Mapping[str, str], values: Sequence[float]) -> None:
        """One value a minute, the last for the minute before this one."""
        times = [self.now.replace(second=0) - timedelta(minutes=len(values) - index) for index in range(len(values))]
        self.points_at(namespace, name, dimensions, dict(zip(times, values, strict=True)))

    def points_at(
        self, namespace: str, name: str, dimensions: Mapping[str, str], values: Mapping[datetime, float]
    ) -> None:
        listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        data = [
            {"MetricName": name, "Dimensions": listed, "Timestamp": at, "Value": value} for at, value in values.items()
        ]
        self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    def logs(
        self, lines: Sequence[str], group: str = "/ecs/checkout-api", ago: timedelta = timedelta(minutes=5)
    ) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="app/1")
        start = int((self.now - ago).timestamp() * 1000)
        events = [{"timestamp": start + index * 1000, "message": line} for index, line in enumerate(lines)]
        logs.put_log_events(logGroupName=group, logStreamName="app/1", logEvents=events)

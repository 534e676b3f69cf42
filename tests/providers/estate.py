"""A large estate in moto: services in many places, each with what it stands on, made through moto's own interface."""

from dataclasses import dataclass
from typing import Any

import boto3

QUEUES, TABLES, STREAMS = 4, 2, 1
"""A service's own; with itself, its target group and its log group that makes ten."""


@dataclass
class Estate:
    """One account and region, with services that each have a target group, a log group, queues, tables and a stream."""

    endpoint: str
    region: str
    role: str | None = None
    """Of the account that it is in; None: the one that moto gives to everybody."""
    made: int = 0
    """Services and resources."""

    def client(self, service: str) -> Any:
        return self._session().client(service, region_name=self.region, endpoint_url=self.endpoint)

    def _session(self) -> boto3.Session:
        own = boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="not-a-secret")
        if self.role is None:
            return own
        sts = own.client("sts", region_name=self.region, endpoint_url=self.endpoint)
        keys = sts.assume_role(RoleArn=self.role, RoleSessionName="estate")["Credentials"]
        return boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def build(self, services: int, prefix: str) -> None:
        """`services` of them; every one calls the one before it."""
        session = self._session()
        clients = {
            name: session.client(name, region_name=self.region, endpoint_url=self.endpoint)
            for name in ("ecs", "elbv2", "sqs", "dynamodb", "kinesis", "ec2")
        }
        clients["ecs"].create_cluster(clusterName="prod")
        vpc = clients["ec2"].create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for number in range(services):
            self._service(clients, vpc, f"{prefix}-{number}", f"{prefix}-{(number or services) - 1}")

    def _service(self, clients: dict[str, Any], vpc: str, name: str, before: str) -> None:
        environment = {"NEXT": f"http://{before}.internal:8080"}
        for number in range(QUEUES):
            environment[f"QUEUE_{number}"] = clients["sqs"].create_queue(
                QueueName=f"{name}-jobs-{number}", tags={"team": "shop"}
            )["QueueUrl"]
        for number in range(TABLES):
            clients["dynamodb"].create_table(
                TableName=f"{name}-table-{number}",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                Tags=[{"Key": "team", "Value": "shop"}],
            )
            environment[f"TABLE_{number}"] = f"{name}-table-{number}"
        clients["kinesis"].create_stream(StreamName=f"{name}-clicks", ShardCount=1)
        environment["STREAM"] = f"{name}-clicks"
        target = clients["elbv2"].create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
        container = {
            "name": "app",
            "image": f"shop/{name}:1",
            "memory": 128,
            "environment": [{"name": key, "value": value} for key, value in environment.items()],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": f"/ecs/{name}"}},
        }
        revision = clients["ecs"].register_task_definition(family=name, containerDefinitions=[container])
        clients["ecs"].create_service(
            cluster="prod",
            serviceName=name,
            taskDefinition=revision["taskDefinition"]["taskDefinitionArn"],
            desiredCount=0,
            launchType="EC2",
            loadBalancers=[
                {
                    "targetGroupArn": target["TargetGroups"][0]["TargetGroupArn"],
                    "containerName": "app",
                    "containerPort": 80,
                }
            ],
            tags=[{"key": "team", "value": "shop"}],
        )
        self.made += QUEUES + TABLES + STREAMS + 3  # with its service, its target group and its log group

"""Makes what a world is made of, and what people changed in it, with calls of the API at their own times."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from runbook_bot.playground.cloud.identities import AUTOSCALING, Identities
from runbook_bot.playground.cloud.inventory import (
    CacheCluster,
    DynamoTable,
    EcsService,
    LambdaFunction,
    Queue,
    RdsInstance,
    Resource,
)
from runbook_bot.playground.cloud.past import Past
from runbook_bot.playground.cloud.plot import Act, Alarm, Deploy, ReleaseFunction, ReserveConcurrency, Scale
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.span import parse_span
from runbook_bot.playground.cloud.world import World

_GUARD = re.compile(r"\{guard:([^}]+)\}")
_CRON = re.compile(r"\{cron:([^}]+)\}")


class Builder:
    """Who makes each call, and when, is what `past` says at the time."""

    def __init__(self, scenario: Scenario, past: Past, identities: Identities, now: float) -> None:
        self._scenario = scenario
        self._past = past
        self._identities = identities
        self._now = now
        self.balancer = ""
        self.targets: dict[str, str] = {}
        """ECS service → ARN of its target group."""
        self.streams: dict[str, str] = {}
        """Log group → its stream."""
        self._listener = ""
        self._network: dict[str, list[str]] = {}
        self._guards: dict[str, str] = {}
        self._latest: dict[str, dict[str, Any]] = {}

    def balancer_for(self, services: Iterable[EcsService]) -> None:
        for cluster in dict.fromkeys(service.cluster for service in services):
            self._past.client("ecs").create_cluster(
                clusterName=cluster, settings=[{"name": "containerInsights", "value": "enabled"}]
            )
        subnets = self._past.client("ec2").describe_subnets()["Subnets"][:2]
        groups = self._past.client("ec2").describe_security_groups()["SecurityGroups"][:1]
        self._network = {
            "subnets": [each["SubnetId"] for each in subnets],
            "securityGroups": [each["GroupId"] for each in groups],
        }
        elb = self._past.client("elbv2")
        balancer = elb.create_load_balancer(
            Name=self._scenario.load_balancer,
            Subnets=self._network["subnets"],
            SecurityGroups=self._network["securityGroups"],
            Scheme="internet-facing",
            Type="application",
        )["LoadBalancers"][0]
        self.balancer = balancer["LoadBalancerArn"]
        self._vpc = balancer["VpcId"]

    def create(self, resource: Resource) -> None:
        match resource:
            case EcsService():
                self._service(resource)
            case LambdaFunction():
                self._function(resource)
            case RdsInstance():
                self._database(resource)
            case DynamoTable():
                self._past.client("dynamodb").create_table(
                    TableName=resource.name,
                    KeySchema=[{"AttributeName": resource.hash_key, "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": resource.hash_key, "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )
            case Queue():
                self._past.client("sqs").create_queue(QueueName=resource.name)
            case CacheCluster():
                self._past.client("elasticache").create_cache_cluster(
                    CacheClusterId=resource.name,
                    Engine="redis",
                    EngineVersion=resource.version,
                    CacheNodeType=resource.node_type,
                    NumCacheNodes=1,
                )
        if resource.log_group:
            self._log_group(resource)

    def _log_group(self, resource: Resource) -> None:
        group = resource.log_group
        assert group
        logs = self._past.client("logs")
        logs.create_log_group(logGroupName=group)
        mark = hashlib.sha256(f"{self._scenario.seed}/{group}".encode()).hexdigest()[:32]
        stream = f"{resource.name}/app/{mark}" if isinstance(resource, EcsService) else f"{resource.name}.0"
        if isinstance(resource, LambdaFunction):
            stream = f"{datetime.fromtimestamp(self._now, UTC):%Y/%m/%d}/[$LATEST]{mark}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        self.streams[group] = stream

    def _service(self, service: EcsService) -> None:
        balancers = []
        if service.balanced:
            group = self._target_group(service)
            balancers = [{"targetGroupArn": group, "containerName": service.name, "containerPort": service.port}]
        self._latest[service.name] = {
            "image": service.image,
            "environment": dict(service.environment),
            "memory": service.memory,
        }
        self._past.client("ecs").create_service(
            cluster=service.cluster,
            serviceName=service.name,
            taskDefinition=self._register(service),
            desiredCount=service.desired,
            launchType="FARGATE",
            loadBalancers=balancers,
            networkConfiguration={
                "awsvpcConfiguration": {**self._network, **self._guarded(service), "assignPublicIp": "DISABLED"}
            },
            deploymentConfiguration={"maximumPercent": 200, "minimumHealthyPercent": 100},
        )

    def _guarded(self, resource: EcsService | RdsInstance) -> dict[str, list[str]]:
        """The security group of its own, where it has one, as ECS's parameter for it."""
        if not resource.guarded:
            return {}
        ports = {"postgres": 5432, "mysql": 3306}
        port = resource.port if isinstance(resource, EcsService) else ports[resource.engine]
        ec2 = self._past.client("ec2")
        network = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group: str = ec2.create_security_group(
            GroupName=f"{resource.name}-guard", Description=f"who may reach {resource.name}", VpcId=network
        )["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_inward(port)])
        self._guards[resource.name] = group
        return {"securityGroups": [group]}

    def _target_group(self, service: EcsService) -> str:
        elb = self._past.client("elbv2")
        arn: str = elb.create_target_group(
            Name=service.name,
            Protocol="HTTP",
            Port=service.port,
            VpcId=self._vpc,
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=15,
        )["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": arn}]
        if not self._listener:
            self._listener = elb.create_listener(
                LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=forward
            )["Listeners"][0]["ListenerArn"]
        else:
            elb.create_rule(
                ListenerArn=self._listener,
                Priority=len(self.targets) + 1,
                Conditions=[{"Field": "path-pattern", "Values": [f"/{service.name}/*"]}],
                Actions=forward,
            )
        self.targets[service.name] = arn
        return arn

    def _register(self, service: EcsService) -> str:
        now = self._latest[service.name]
        answer = self._past.client("ecs").register_task_definition(
            family=service.name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu=str(service.cpu),
            memory=str(now["memory"]),
            executionRoleArn="arn:aws:iam::123456789012:role/ecs-task-execution",
            taskRoleArn=f"arn:aws:iam::123456789012:role/{service.name}-task",
            containerDefinitions=[
                {
                    "name": service.name,
                    "image": now["image"],
                    "essential": True,
                    "memory": now["memory"],
                    "portMappings": [{"containerPort": service.port, "protocol": "tcp"}],
                    "environment": [{"name": k, "value": v} for k, v in now["environment"].items()],
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": service.log_group,
                            "awslogs-region": self._scenario.region,
                            "awslogs-stream-prefix": service.name,
                        },
                    },
                }
            ],
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def _function(self, function: LambdaFunction) -> None:
        role = self._past.client("iam").create_role(
            RoleName=f"{function.name}-role",
            AssumeRolePolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            ),
        )["Role"]["Arn"]
        client = self._past.client("lambda")
        client.create_function(
            FunctionName=function.name,
            Runtime=function.runtime,
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": _zip()},
            MemorySize=function.memory,
            Timeout=function.timeout,
            Environment={"Variables": dict(function.environment)},
        )
        self._latest[function.name] = {"environment": dict(function.environment)}
        if function.concurrency is not None:
            client.put_function_concurrency(
                FunctionName=function.name, ReservedConcurrentExecutions=function.concurrency
            )

    def _database(self, database: RdsInstance) -> None:
        rds = self._past.client("rds")
        family = f"{database.engine}{database.version.partition('.')[0]}"
        group = f"{database.name}-{family}"
        rds.create_db_parameter_group(
            DBParameterGroupName=group, DBParameterGroupFamily=family, Description=f"parameters of {database.name}"
        )
        rds.modify_db_parameter_group(
            DBParameterGroupName=group,
            Parameters=[
                {
                    "ParameterName": "max_connections",
                    "ParameterValue": str(database.max_connections),
                    "ApplyMethod": "pending-reboot",
                }
            ],
        )
        rds.create_db_instance(
            DBInstanceIdentifier=database.name,
            Engine=database.engine,
            EngineVersion=database.version,
            DBInstanceClass=database.instance_class,
            AllocatedStorage=database.storage,
            DBParameterGroupName=group,
            MasterUsername="shop_admin",
            MasterUserPassword="not-used-anywhere",  # moto asks for one
            MultiAZ=True,
            StorageType="gp3",
            EnableCloudwatchLogsExports=["postgresql" if database.engine == "postgres" else "error"],
            VpcSecurityGroupIds=self._guarded(database).get("securityGroups", []),
        )

    def change(self, change: Deploy | Scale | ReserveConcurrency | ReleaseFunction | Act) -> None:
        match change:
            case Deploy():
                service = self._ecs(change.service)
                now = self._latest[change.service]
                now["image"] = change.image or now["image"]
                now["environment"] |= change.environment
                now["memory"] = change.memory or now["memory"]
                arn = self._register(service)
                self._past.client("ecs").update_service(
                    cluster=service.cluster, service=service.name, taskDefinition=arn
                )
            case Scale():
                service = self._ecs(change.service)
                if change.because:
                    self._autoscaled(service, change)
                self._past.client("ecs").update_service(
                    cluster=service.cluster, service=service.name, desiredCount=change.desired
                )
            case ReserveConcurrency():
                self._past.client("lambda").put_function_concurrency(
                    FunctionName=change.function, ReservedConcurrentExecutions=change.reserved
                )
            case ReleaseFunction():
                now = self._latest[change.function]
                now["environment"] |= change.environment
                settings = {"Timeout": change.timeout} if change.timeout else {}
                self._past.client("lambda").update_function_configuration(
                    FunctionName=change.function, Environment={"Variables": now["environment"]}, **settings
                )
            case Act():
                self._act(change)

    def _act(self, change: Act) -> None:
        from botocore import xform_name

        written = json.dumps(change.parameters)
        written = _GUARD.sub(lambda found: self._guards[found[1]], written)
        parameters = json.loads(_CRON.sub(lambda found: self._daily(found[1]), written))
        if change.operation == "UpdateFunctionCode":
            parameters["ZipFile"] = _zip(f"released {change.at}")
        getattr(self._past.client(change.service), xform_name(change.operation))(**parameters)

    def _daily(self, span: str) -> str:
        at = datetime.fromtimestamp(self._now + parse_span(span).total_seconds(), UTC)
        return f"cron({at.minute} {at.hour} * * ? *)"

    def _autoscaled(self, service: EcsService, change: Scale) -> None:
        """The service is under Application Auto Scaling, which makes the change itself."""
        self._past.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{service.cluster}/{service.name}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=service.desired,
            MaxCapacity=service.desired * 3,
        )
        key = self._identities.enrol("AutoScaling-UpdateDesiredCount", AUTOSCALING)
        self._past.be(self._now + change.at.total_seconds(), key, note=change.because)

    def _ecs(self, name: str) -> EcsService:
        return next(
            each
            for service in self._scenario.services
            for each in service.resources
            if isinstance(each, EcsService) and each.name == name
        )

    def alarm(self, alarm: Alarm, world: World) -> None:
        vital = world.vital(alarm.of, alarm.metric)
        extended = alarm.statistic.startswith("p")
        self._past.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm.name,
            AlarmDescription=alarm.description,
            Namespace=vital.namespace,
            MetricName=vital.name,
            Dimensions=[{"Name": name, "Value": value} for name, value in vital.dimensions],
            **{"ExtendedStatistic" if extended else "Statistic": alarm.statistic},
            Period=alarm.period,
            EvaluationPeriods=alarm.evaluation_periods,
            DatapointsToAlarm=alarm.datapoints_to_alarm or alarm.evaluation_periods,
            Threshold=alarm.threshold,
            ComparisonOperator=alarm.comparison,
            TreatMissingData=alarm.missing,
            AlarmActions=[f"arn:aws:sns:{self._scenario.region}:123456789012:oncall"],
        )


def _inward(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}


def _zip(note: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", f"def handler(event, context):\n    return {{'ok': True}}  # {note}\n")
    return packed.getvalue()

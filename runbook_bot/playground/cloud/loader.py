"""Builds a scenario's world through boto3: what there is, how it came to be, and the last hours of its life."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np

from runbook_bot.playground.cloud.ecs_api import EcsApi
from runbook_bot.playground.cloud.identities import AUTOSCALING, Identities
from runbook_bot.playground.cloud.inventory import DynamoTable, EcsService, LambdaFunction, Queue, RdsInstance, Resource
from runbook_bot.playground.cloud.logbook import LogLine
from runbook_bot.playground.cloud.past import Past
from runbook_bot.playground.cloud.plot import Alarm, Deploy, ReleaseFunction, ReserveConcurrency, Scale
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.weather import Datum
from runbook_bot.playground.cloud.world import World

_T = TypeVar("_T")
_BATCH = 1000
DAY = 86400.0
YESTERDAY, TOMORROW = 5400.0, 900.0
"""Seconds before and after this time of day of which yesterday is loaded at once; the rest comes hour by hour."""
BEAT = 5.0
"""Seconds between data points while the cloud runs."""
FINE = 600.0
"""Seconds before now in which history has a point every ten seconds; before that, one a minute."""
_BUILDER = "terraform"


class Loader:
    """Runs in a thread of its own: every call is a blocking one to the overlay."""

    def __init__(self, scenario: Scenario, past: Past, identities: Identities, now: float) -> None:
        self._scenario = scenario
        self._past = past
        self._identities = identities
        self._now = now
        self._balancer = ""
        self._listener = ""
        self._network: dict[str, list[str]] = {}
        self._targets: dict[str, str] = {}
        self._streams: dict[str, str] = {}
        self._latest: dict[str, dict[str, Any]] = {}

    def build(self) -> World:
        """Everything but metrics and logs; the world that then tells what those are."""
        resources = [each for service in self._scenario.services for each in service.resources]
        tasks = [each for each in resources if isinstance(each, EcsService)]
        oldest = max(each.created.total_seconds() for each in resources) + 86400
        self._as(_BUILDER, -oldest)
        if tasks:
            self._balancer_for(tasks)
        for resource in sorted(resources, key=lambda each: -each.created.total_seconds()):
            self._as(_BUILDER, -resource.created.total_seconds())
            self._create(resource)
        for change in sorted(self._scenario.changes, key=lambda each: each.at):
            self._as(change.actor, change.at.total_seconds())
            self._change(change)
        world = World(self._scenario, self._targets, self._balancer, self._now)
        for alarm in self._scenario.alarms:
            self._as(_BUILDER, -90 * 86400)
            self._alarm(alarm, world)
        return world

    def fill(self, world: World, ecs: EcsApi) -> None:
        """The past of all metrics and logs, and of the metrics the same time a day ago."""
        self._as(_BUILDER, 0)
        length = self._scenario.history.total_seconds()
        start, fine_from = self._now - length, (self._now - FINE) // 60 * 60
        until = (self._now - BEAT) // BEAT * BEAT
        self.put_past(world, ecs, self._now - DAY - YESTERDAY, self._now - DAY + TOMORROW, 60.0)
        self.put_past(world, ecs, start, fine_from, 60.0)
        self.put_past(world, ecs, fine_from, until, 10.0)
        for logbook in world.logbooks:
            self.put_logs(logbook.group, logbook.write(start, self._now))
        world.metrics_until = max(until, fine_from)
        world.logs_until = self._now

    def put_past(self, world: World, ecs: EcsApi, start: float, end: float, step: float) -> None:
        """One stretch of every metric, with a data point per `step` seconds."""
        times = np.arange(start // step * step, end, step)
        fine = [step < 60] * len(times)
        by_namespace: dict[str, list[Datum]] = {}
        for gauge in world.gauges:
            data = [gauge.exact(at, n, step < 60) for at in times if (n := world.counted(gauge, ecs, at)) is not None]
            data = data or gauge.data(times, np.full(len(times), step), world.followed(gauge), fine)
            by_namespace.setdefault(gauge.vital.namespace, []).extend(data)
        for namespace, data in by_namespace.items():
            self.put_metrics(namespace, data)

    def present(self, now: float) -> None:
        """From now on calls are made at that moment."""
        self._now = now
        self._as(_BUILDER, 0)

    def put_metrics(self, namespace: str, data: list[Datum]) -> None:
        for batch in _batches(data, _BATCH):
            self._past.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=batch)

    def put_logs(self, group: str, lines: list[LogLine]) -> None:
        for batch in _batches(lines, 10_000):
            self._past.client("logs").put_log_events(
                logGroupName=group,
                logStreamName=self._streams[group],
                logEvents=[{"timestamp": at, "message": text} for at, text in batch],
            )

    def _as(self, actor: str, seconds: float) -> None:
        key = self._identities.enrol(actor, self._scenario.actors.get(actor))
        self._past.be(self._now + seconds, key)

    def _balancer_for(self, services: Iterable[EcsService]) -> None:
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
        self._balancer = balancer["LoadBalancerArn"]
        self._vpc = balancer["VpcId"]

    def _create(self, resource: Resource) -> None:
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
        self._streams[group] = stream

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
            networkConfiguration={"awsvpcConfiguration": {**self._network, "assignPublicIp": "DISABLED"}},
            deploymentConfiguration={"maximumPercent": 200, "minimumHealthyPercent": 100},
        )

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
                LoadBalancerArn=self._balancer, Protocol="HTTP", Port=80, DefaultActions=forward
            )["Listeners"][0]["ListenerArn"]
        else:
            elb.create_rule(
                ListenerArn=self._listener,
                Priority=len(self._targets) + 1,
                Conditions=[{"Field": "path-pattern", "Values": [f"/{service.name}/*"]}],
                Actions=forward,
            )
        self._targets[service.name] = arn
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
        )

    def _change(self, change: Deploy | Scale | ReserveConcurrency | ReleaseFunction) -> None:
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

    def _alarm(self, alarm: Alarm, world: World) -> None:
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


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return {'ok': True}\n")
    return packed.getvalue()


def _batches(items: list[_T], size: int) -> Iterator[list[_T]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]

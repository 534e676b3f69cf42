"""ECS services, tasks and revisions, against moto; events and deployments, which it has none of, by the stand-in."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.ecs import ServiceEvents, Services, StoppedTasks, Tasks
from runbook_bot.providers.aws.operations.ecs_revisions import Deployments, TaskDefinition, TaskDefinitionDiff
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.estate import anew
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn

_ARN = "arn:aws-cn:ecs:cn-north-1:123456789012"


def _told(**more: Any) -> dict[str, Any]:
    """A service that is well, but for what is said."""
    return {
        "serviceName": "checkout-api",
        "status": "ACTIVE",
        "desiredCount": 4,
        "runningCount": 4,
        "pendingCount": 0,
        "taskDefinition": f"{_ARN}:task-definition/checkout-api:8",
        "deployments": [
            {"id": "ecs-svc/2", "status": "PRIMARY", "rolloutState": "COMPLETED", "createdAt": NOW.timestamp()}
        ],
        **more,
    }


async def test_a_service_that_lacks_tasks_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto starts every task at once."""
    rolling = {
        "id": "ecs-svc/3",
        "status": "PRIMARY",
        "taskDefinition": f"{_ARN}:task-definition/checkout-api:9",
        "rolloutState": "IN_PROGRESS",
        "failedTasks": 3,
        "desiredCount": 4,
        "runningCount": 0,
        "createdAt": NOW.timestamp(),
    }
    aws.says("ListServices", {"serviceArns": [f"{_ARN}:service/prod/a", f"{_ARN}:service/prod/b"]})
    well = _told(serviceName="a-well")
    ill = _told(serviceName="größe", runningCount=1, deployments=[rolling, {**rolling, "status": "ACTIVE"}])
    aws.says("DescribeServices", {"services": [well, ill, _told(status="INACTIVE")]})
    result = await provider.ask(Services(cluster="prod"))
    assert [row.name for row in result.rows] == ["größe", "a-well"]
    facts = result.rows[0].facts
    assert facts["trouble"] == ["1 of 4 tasks run", "6 tasks failed to start", "2 deployments at once"]
    assert "PRIMARY checkout-api:9 0/4 running 3 failed IN_PROGRESS since " in str(facts["deployments"])
    assert "trouble" not in result.rows[1].facts
    assert result.rows[1].facts["task_definition"] == "checkout-api:8"


async def test_services_of_all_clusters(shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    shop.service(shop.revision(), name="pricing-api", count=2)
    shop.client("ecs").create_cluster(clusterName="empty")
    result = await provider.ask(Services())
    assert result.status is Status.ok
    assert [(row.name, row.facts["cluster"], row.facts["desired"]) for row in result.rows] == [
        ("checkout-api", "prod", 4),
        ("pricing-api", "prod", 2),
    ]
    one = await provider.ask(Services(cluster="prod", name="checkout-api"))
    assert [row.name for row in one.rows] == ["checkout-api"]
    assert one.console is not None
    assert "/clusters/prod/services/checkout-api/" in one.console


async def test_no_service_and_no_cluster(aws: StandIn, provider: AwsProvider) -> None:
    assert (await provider.ask(Services())).message == "there is no ECS service"
    assert (await provider.ask(Services(cluster="gone"))).status is Status.no_data
    assert (await provider.ask(Services(cluster="gone", name="x"))).status is Status.no_data


async def test_one_cluster_may_be_denied_while_another_answers(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    shop.client("ecs").create_cluster(clusterName="secret")
    told = b'{"__type": "AccessDeniedException", "message": "no"}'
    aws.answers["ListServices"] = lambda body: Answer(400, told) if '"secret"' in body else None
    result = await provider.ask(Services())
    assert result.status is Status.truncated
    assert [row.name for row in result.rows] == ["checkout-api"]
    assert "ecs:ListServices" in result.message


async def test_trouble_comes_before_the_steady_state_and_is_counted(aws: StandIn, provider: AwsProvider) -> None:
    """Moto writes no service events."""

    def event(minutes: int, message: str) -> dict[str, Any]:
        at = NOW - timedelta(minutes=minutes)
        return {"id": str(minutes), "createdAt": at.timestamp(), "message": f"(service checkout-api) {message}"}

    unable = "was unable to place a task because no container instance met all of its requirements (i-0abc{}12)"
    told = [event(1, "has reached a steady state."), event(3, unable.format(1)), event(7, unable.format(2))]
    aws.says(
        "DescribeServices", {"services": [_told(events=[*told, event(90, "has started 1 tasks: (task abcdef01)")])]}
    )
    result = await provider.ask(ServiceEvents(cluster="prod", name="checkout-api"))
    assert [row.name for row in result.rows] == ["trouble", "event", "event"]
    assert result.rows[0].facts["times"] == 2
    assert result.rows[0].at == NOW - timedelta(minutes=3)
    window = TimeWindow(start=NOW - timedelta(minutes=2), end=NOW)
    recent = await provider.ask(ServiceEvents(cluster="prod", name="checkout-api", window=window))
    assert [row.name for row in recent.rows] == ["event"]
    aws.says("DescribeServices", {"services": [_told()]})
    none = await anew().ask(ServiceEvents(cluster="prod", name="checkout-api"))
    assert none.status is Status.no_data


async def test_tasks_that_are_not_up_come_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's tasks have no health."""
    arns = [f"{_ARN}:task/prod/{name}" for name in ("well", "ill", "coming", "gone")]
    aws.says("ListTasks", {"taskArns": arns})
    well = {"taskArn": arns[0], "lastStatus": "RUNNING", "healthStatus": "HEALTHY", "startedAt": NOW.timestamp()}
    ill = {**well, "taskArn": arns[1], "healthStatus": "UNHEALTHY"}
    coming = {"taskArn": arns[2], "lastStatus": "PENDING", "containers": [{"name": "app", "lastStatus": "PENDING"}]}
    failure = {"arn": arns[3], "reason": "MISSING"}
    aws.says("DescribeTasks", {"tasks": [well, ill, coming], "failures": [failure]})
    result = await provider.ask(Tasks(cluster="prod"))
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["ill", "coming", "well"]
    assert result.rows[1].facts["containers_not_running"] == {"app": "PENDING"}


async def test_more_stopped_tasks_than_are_read(aws: StandIn, provider: AwsProvider) -> None:
    arns = [f"{_ARN}:task/prod/{index}" for index in range(101)]
    aws.says("ListTasks", {"taskArns": arns})
    killed = {"exitCode": 137, "name": "app", "reason": "OutOfMemoryError"}
    stopped = {
        "stoppedReason": "Essential container in task exited",
        "containers": [killed],
        "stoppedAt": NOW.timestamp(),
    }
    aws.says("DescribeTasks", {"tasks": [{"taskArn": arn, **stopped} for arn in arns[:100]]})
    result = await provider.ask(StoppedTasks(cluster="prod"))
    assert result.status is Status.truncated
    assert "name a service" in result.message
    assert result.rows[0].facts["exit_codes"] == {"app": 137}
    assert result.rows[0].facts["same_reason"] == 100
    aws.says("ListTasks", {"taskArns": []})
    assert (await anew().ask(StoppedTasks(cluster="prod"))).status is Status.no_data


async def test_how_deployments_ended(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not have service deployments."""
    old, new = f"{_ARN}:service-revision/prod/checkout-api/1", f"{_ARN}:service-revision/prod/checkout-api/2"

    def brief(id: str, minutes: int, status: str, target: str) -> dict[str, Any]:
        at = (NOW - timedelta(minutes=minutes)).timestamp()
        arn = f"{_ARN}:service-deployment/prod/checkout-api/{id}"
        times = {"createdAt": at, "startedAt": at, "finishedAt": at + 90}
        return {"serviceDeploymentArn": arn, "status": status, "targetServiceRevisionArn": target, **times}

    well, back = brief("well", 5, "SUCCESSFUL", old), brief("back", 20, "ROLLBACK_SUCCESSFUL", new)
    aws.says("ListServiceDeployments", {"serviceDeployments": [well, back]})
    detail = {
        **back,
        "statusReason": "Service deployment rolled back because the circuit breaker threshold was exceeded.",
        "sourceServiceRevisions": [{"arn": old}],
        "deploymentCircuitBreaker": {"status": "TRIGGERED", "failureCount": 3, "threshold": 3},
        "rollback": {"reason": "circuit breaker"},
    }
    aws.says("DescribeServiceDeployments", {"serviceDeployments": [detail]})
    definitions = [
        {"serviceRevisionArn": old, "taskDefinition": f"{_ARN}:task-definition/checkout-api:7"},
        {"serviceRevisionArn": new, "taskDefinition": f"{_ARN}:task-definition/checkout-api:8"},
    ]
    aws.says("DescribeServiceRevisions", {"serviceRevisions": definitions})
    result = await provider.ask(Deployments(cluster="prod", name="checkout-api"))
    assert [row.name for row in result.rows] == ["back", "well"]
    facts = result.rows[0].facts
    assert (facts["task_definition"], facts["before"]) == ("checkout-api:8", ["checkout-api:7"])
    assert facts["circuit_breaker"] == "TRIGGERED: 3 failures, 3 allowed"
    assert (facts["rolled_back_for"], facts["seconds"]) == ("circuit breaker", 90)
    aws.refuses("DescribeServiceRevisions", "AccessDeniedException", "no")
    partial = await anew().ask(Deployments(cluster="prod", name="checkout-api"))
    assert partial.status is Status.truncated
    assert "ecs:DescribeServiceRevisions" in partial.message
    aws.says("ListServiceDeployments", {"serviceDeployments": []})
    assert (await anew().ask(Deployments(cluster="prod", name="checkout-api"))).status is Status.no_data


async def test_deployments_as_the_service_tells_where_their_history_is_not_to_be_had(
    shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    result = await provider.ask(Deployments(cluster="prod", name="checkout-api"))
    assert result.status is Status.truncated
    assert [row.facts["task_definition"] for row in result.rows] == ["checkout-api:1"]
    assert "ListServiceDeployments" in result.message


async def test_a_task_definition_without_its_secrets(shop: Shop, provider: AwsProvider) -> None:
    secret = "arn:aws-us-gov:secretsmanager:us-gov-west-1:1:secret:prod/orders-db-AbCdEf:password::"
    container = {
        "name": "app",
        "image": "shop/checkout:2.4.1",
        "memory": 512,
        "environment": [{"name": "POOL_SIZE", "value": "20"}, {"name": "API_TOKEN", "value": "t0ps3cret"}],
        "secrets": [{"name": "DB_PASSWORD", "valueFrom": secret}],
        "portMappings": [{"containerPort": 8080, "hostPort": 80, "protocol": "tcp"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/größe"}},
    }
    shop.client("ecs").register_task_definition(family="password-reset", containerDefinitions=[container], cpu="256")
    result = await provider.ask(TaskDefinition(revision="password-reset"))
    whole, app = result.rows
    assert (whole.name, whole.facts["cpu_units"]) == ("password-reset:1", "256")
    assert app.facts["environment"] == {"POOL_SIZE": "20", "API_TOKEN": "[redacted]"}
    assert app.facts["injected"] == ["DB_PASSWORD from the secret prod/orders-db-AbCdEf, field password"]
    assert (app.facts["ports"], app.facts["logs_to"]) == (["8080/tcp as 80"], "/ecs/größe")
    assert "t0ps3cret" not in str(result)
    assert (await provider.ask(TaskDefinition(revision="nowhere:3"))).status is Status.no_data
    assert (await provider.ask(TaskDefinition())).status is Status.error


async def test_what_differs_between_two_revisions(shop: Shop, provider: AwsProvider) -> None:
    shop.revision("shop/checkout:2.4.0", {"POOL_SIZE": "20", "DB_PASSWORD": "one"})
    shop.service(shop.revision("shop/checkout:2.4.1", {"POOL_SIZE": "5", "DB_PASSWORD": "two"}))
    result = await provider.ask(TaskDefinitionDiff(cluster="prod", name="checkout-api"))
    assert {row.name: (row.facts["before"], row.facts["after"]) for row in result.rows} == {
        "image": ("shop/checkout:2.4.0", "shop/checkout:2.4.1"),
        "environment.POOL_SIZE": ("20", "5"),
        "environment.DB_PASSWORD": ("[redacted]", "[redacted, another value]"),
    }
    assert result.rows[0].name == "image"
    assert result.rows[0].facts["revisions"] == "checkout-api:1 → checkout-api:2"
    first = await provider.ask(TaskDefinitionDiff(after="checkout-api:1"))
    assert (first.status, "no revision before" in first.message) == (Status.no_data, True)
    same = await provider.ask(TaskDefinitionDiff(after="checkout-api:1", before="checkout-api:1"))
    assert same.message == "checkout-api:1 and checkout-api:1 do not differ"

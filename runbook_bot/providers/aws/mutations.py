"""The changes that can be made in AWS: the allow-list, each as typed parameters, its exact call, and its permission."""

import shlex
from typing import Any, ClassVar

from pydantic import Field, ValidationError

from runbook_bot.domain.approval import Call
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Mutation
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.errors import ProviderError


class AwsMutation(Mutation):
    """A change as one call to AWS."""

    service: ClassVar[str]
    action: ClassVar[str]
    any_target: ClassVar[str]
    """The last part of the ARNs of all that it can be made to, e.g. `service/*`."""

    @property
    def target(self) -> Resource:
        raise NotImplementedError

    @property
    def request(self) -> dict[str, Any]:
        """The parameters of the call, in the API's own words."""
        raise NotImplementedError

    @property
    def resource_path(self) -> str:
        """The last part of the ARN that the permission is limited to."""
        raise NotImplementedError

    @property
    def command(self) -> str:
        """The same call for the AWS command line, but for the region."""
        raise NotImplementedError

    @property
    def call(self) -> Call:
        return Call(operation=self.operation, parameters=self.model_dump(mode="json", exclude_none=True))

    def shown(self, region: str) -> str:
        return f"aws {self.command} --region {shlex.quote(region)}"

    def policy(self, partition: str, region: str, account: str) -> dict[str, Any]:
        """The smallest policy that allows this very change."""
        arn = f"arn:{partition}:{self.service}:{region}:{account}:{self.resource_path}"
        allow = {"Effect": "Allow", "Action": f"{self.service}:{self.action}", "Resource": arn}
        return {"Version": "2012-10-17", "Statement": [allow]}


class UpdateService(AwsMutation):
    """Change an ECS service: another revision, the same one again, or another number of tasks."""

    operation: ClassVar[str] = "ecs.update_service"
    service: ClassVar[str] = "ecs"
    action: ClassVar[str] = "UpdateService"
    any_target: ClassVar[str] = "service/*"

    cluster: str = Field(min_length=1, description="Cluster name")
    service_name: str = Field(min_length=1, alias="service", description="Service name")
    task_definition: str | None = Field(default=None, description="Revision to run, as family:number")
    force_new_deployment: bool | None = Field(default=None, description="Replace every task, same revision")
    desired_count: int | None = Field(default=None, ge=0, le=5000, description="Number of tasks")

    @property
    def call(self) -> Call:
        parameters = self.model_dump(mode="json", exclude_none=True, by_alias=True)
        return Call(operation=self.operation, parameters=parameters)

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=self.service_name)

    @property
    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = {"cluster": self.cluster, "service": self.service_name}
        if self.task_definition is not None:
            found["taskDefinition"] = self.task_definition
        if self.force_new_deployment:
            found["forceNewDeployment"] = True
        if self.desired_count is not None:
            found["desiredCount"] = self.desired_count
        return found

    @property
    def resource_path(self) -> str:
        return f"service/{self.cluster}/{self.service_name}"

    @property
    def command(self) -> str:
        words = ["ecs", "update-service", "--cluster", self.cluster, "--service", self.service_name]
        if self.task_definition is not None:
            words += ["--task-definition", self.task_definition]
        if self.force_new_deployment:
            words.append("--force-new-deployment")
        if self.desired_count is not None:
            words += ["--desired-count", str(self.desired_count)]
        return shlex.join(words)


class PutFunctionConcurrency(AwsMutation):
    """Reserve another number of parallel executions for a Lambda function."""

    operation: ClassVar[str] = "lambda.put_function_concurrency"
    service: ClassVar[str] = "lambda"
    action: ClassVar[str] = "PutFunctionConcurrency"
    any_target: ClassVar[str] = "function:*"

    function: str = Field(min_length=1, description="Function name")
    reserved_concurrent_executions: int = Field(ge=0, le=100_000, description="Parallel executions")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.lambda_function, name=self.function)

    @property
    def request(self) -> dict[str, Any]:
        return {
            "FunctionName": self.function,
            "ReservedConcurrentExecutions": self.reserved_concurrent_executions,
        }

    @property
    def resource_path(self) -> str:
        return f"function:{self.function}"

    @property
    def command(self) -> str:
        wanted = str(self.reserved_concurrent_executions)
        head = ["lambda", "put-function-concurrency", "--function-name", self.function]
        return shlex.join([*head, "--reserved-concurrent-executions", wanted])


class RebootInstance(AwsMutation):
    """Reboot a DB instance: every connection is dropped, and it is down meanwhile."""

    operation: ClassVar[str] = "rds.reboot_db_instance"
    service: ClassVar[str] = "rds"
    action: ClassVar[str] = "RebootDBInstance"
    any_target: ClassVar[str] = "db:*"

    instance: str = Field(min_length=1, description="DBInstanceIdentifier")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.rds_instance, name=self.instance)

    @property
    def request(self) -> dict[str, Any]:
        return {"DBInstanceIdentifier": self.instance}

    @property
    def resource_path(self) -> str:
        return f"db:{self.instance}"

    @property
    def command(self) -> str:
        return shlex.join(["rds", "reboot-db-instance", "--db-instance-identifier", self.instance])


MUTATIONS: dict[str, type[AwsMutation]] = {
    each.operation: each for each in (UpdateService, PutFunctionConcurrency, RebootInstance)
}


def mutation_of(call: Call) -> AwsMutation:
    """The typed change behind a call at rest. Raises `ProviderError` for what is not on the list or not well formed."""
    kind = MUTATIONS.get(call.operation)
    if kind is None:
        raise ProviderError(f"{call.operation} is not a change that Runbook can make in AWS")
    try:
        return kind.model_validate(call.parameters)
    except ValidationError as error:
        wrong = ", ".join(".".join(str(part) for part in each["loc"]) or each["msg"] for each in error.errors())
        raise ProviderError(f"the parameters of {call.operation} are wrong: {wrong}") from error

"""Changes of a Lambda function."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.awslambda import read_function, reserved_concurrency
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, account_of
from runbook_bot.providers.aws.place import Place


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
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"reserved_concurrency": self.reserved_concurrent_executions}

    async def state(self, place: Place) -> Json:
        return {"reserved_concurrency": await reserved_concurrency(place, self.function)}

    async def plan(self, place: Place, state: Json) -> Plan:
        function = await read_function(place, self.function)
        reserved = state["reserved_concurrency"]
        wanted = self.reserved_concurrent_executions
        back = None
        if isinstance(reserved, int):
            back = PutFunctionConcurrency(function=self.function, reserved_concurrent_executions=reserved)
        was = "nothing" if reserved is None else str(reserved)
        added = wanted - (reserved if isinstance(reserved, int) else 0)
        return Plan(
            title=f"Let {self.function} run {wanted} times at once",
            summary=f"reserved concurrency {was} → {wanted}",
            impact=f"up to {wanted} executions of {self.function} at once instead of {was}; "
            f"the other functions of the account share {added} fewer, and what it calls may get that much more load",
            risk=Risk.medium,
            back=back,
            account=account_of(function.get("FunctionArn")),
        )


MUTATIONS = (PutFunctionConcurrency,)

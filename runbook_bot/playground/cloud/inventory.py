"""What a world is made of: the resources of its services, with the vital signs of a healthy day."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runbook_bot.playground.cloud.span import Span


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(Strict):
    """A log line: `<order>`, `<ms>` and the like are filled in; `rate` is lines per minute."""

    text: str
    rate: float = Field(default=4.0, gt=0)
    level: str | None = None


class Metric(Strict):
    """A metric beyond the default ones."""

    name: str
    namespace: str
    dimensions: dict[str, str] = Field(default_factory=dict)
    """Empty: those of the resource."""
    baseline: float
    kind: Literal["count", "zero_count", "gauge", "level", "distribution"] = "gauge"
    unit: str = "None"
    noise: float = Field(default=0.04, ge=0)
    seasonal: float = Field(default=0.3, ge=0, le=1)


class Owned(Strict):
    """What every resource has."""

    name: str
    created: Span = Field(default="200d", validate_default=True)
    """How long ago it was made."""
    vitals: dict[str, float] = Field(default_factory=dict)
    """Healthy levels by CloudWatch name, in place of the default ones."""
    metrics: tuple[Metric, ...] = ()
    lines: tuple[Line, ...] = ()
    """Ordinary log lines; none means those of its type."""

    @property
    def log_group(self) -> str | None:
        return None

    def listed(self) -> Iterator[dict[str, object]]:
        """The entries of services.yaml."""
        yield {"type": getattr(self, "type"), "name": self.name}  # noqa: B009  # each subclass has its own literal
        if self.log_group:
            yield {"type": "log_group", "name": self.log_group}


class Guarded(Owned):
    guarded: bool = False
    """Has a security group of its own, called `NAME-guard`, that lets the others of the network in at `port`."""


class EcsService(Guarded):
    type: Literal["ecs_service"]
    cluster: str = "shop"
    image: str
    desired: int = Field(default=3, ge=1, le=50)
    cpu: int = 512
    memory: int = 1024
    port: int = 8080
    environment: dict[str, str] = Field(default_factory=dict)
    balanced: bool = True
    """Has a target group of the same name behind the load balancer."""

    @property
    def log_group(self) -> str:
        return f"/ecs/{self.name}"

    def listed(self) -> Iterator[dict[str, object]]:
        yield {"type": "ecs_service", "cluster": self.cluster, "name": self.name}
        if self.balanced:
            yield {"type": "target_group", "name": self.name}
        yield {"type": "log_group", "name": self.log_group}


class LambdaFunction(Owned):
    type: Literal["lambda_function"]
    runtime: str = "python3.12"
    memory: int = 512
    timeout: int = 30
    environment: dict[str, str] = Field(default_factory=dict)
    concurrency: int | None = Field(default=None, ge=0)
    """Reserved concurrency since it was made."""

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"


class RdsInstance(Guarded):
    type: Literal["rds_instance"]
    engine: Literal["postgres", "mysql"] = "postgres"
    version: str = "15.8"
    instance_class: str = "db.m6g.large"
    storage: int = 200
    max_connections: int = 400

    @property
    def log_group(self) -> str:
        return f"/aws/rds/instance/{self.name}/{'postgresql' if self.engine == 'postgres' else 'error'}"


class DynamoTable(Owned):
    type: Literal["dynamodb_table"]
    hash_key: str = "id"


class Queue(Owned):
    type: Literal["sqs_queue"]


class CacheCluster(Owned):
    """A Redis node of ElastiCache."""

    type: Literal["elasticache_cluster"]
    node_type: str = "cache.m6g.large"
    version: str = "7.1"


Resource = Annotated[
    EcsService | LambdaFunction | RdsInstance | DynamoTable | Queue | CacheCluster, Field(discriminator="type")
]


def key_of(resource: Resource) -> Iterator[str]:
    """`type:name` of a resource and of what comes with it."""
    yield f"{resource.type}:{resource.name}"
    if isinstance(resource, EcsService) and resource.balanced:
        yield f"target_group:{resource.name}"

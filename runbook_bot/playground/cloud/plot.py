"""What happens in a world: changes people make, alarms, harmless blips, the fault, and what mends it."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from runbook_bot.playground.cloud.inventory import Line, Strict
from runbook_bot.playground.cloud.span import Span


class Deploy(Strict):
    """A new task definition revision and the service's update to it; what is not given stays as it was."""

    kind: Literal["deploy"]
    at: Span
    actor: str
    service: str
    image: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    """Changed or added variables."""
    memory: int | None = None

    @property
    def of(self) -> str:
        return f"ecs_service:{self.service}"


class Scale(Strict):
    """Another desired count, by a person or, with `because`, by the autoscaling of the service."""

    kind: Literal["scale"]
    at: Span
    actor: str
    service: str
    desired: int = Field(ge=1)
    because: str = ""
    """The cause as Application Auto Scaling gives it, e.g. `monitor alarm … was breached`."""

    @property
    def of(self) -> str:
        return f"ecs_service:{self.service}"


class ReserveConcurrency(Strict):
    kind: Literal["reserve_concurrency"]
    at: Span
    actor: str
    function: str
    reserved: int = Field(ge=0)

    @property
    def of(self) -> str:
        return f"lambda_function:{self.function}"


class ReleaseFunction(Strict):
    """New code or configuration of a function."""

    kind: Literal["release_function"]
    at: Span
    actor: str
    function: str
    environment: dict[str, str] = Field(default_factory=dict)
    timeout: int | None = None

    @property
    def of(self) -> str:
        return f"lambda_function:{self.function}"


class Act(Strict):
    """Any other call of the API, e.g. `{service: iam, operation: PutRolePolicy, parameters: {…}}`.

    In a parameter `{guard:NAME}` is the id of the security group of the resource of that name, and `{cron:-20m}` the
    schedule of every day at the time that was twenty minutes ago.
    """

    kind: Literal["call"]
    at: Span
    actor: str
    service: str
    operation: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    of: str | None = None
    """The resource it is about; only checked for being there."""


Change = Annotated[Deploy | Scale | ReserveConcurrency | ReleaseFunction | Act, Field(discriminator="kind")]


class Alarm(Strict):
    """A CloudWatch alarm on one metric of one resource."""

    name: str
    of: str
    metric: str
    statistic: str = "Average"
    """Average, Sum, Minimum, Maximum, SampleCount or a percentile like p99."""
    threshold: float
    comparison: Literal[
        "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
    ] = "GreaterThanThreshold"
    period: int = 60
    evaluation_periods: int = Field(default=3, ge=1)
    datapoints_to_alarm: int | None = None
    missing: Literal["missing", "notBreaching", "breaching", "ignore"] = "notBreaching"
    description: str = ""


class Moves(Strict):
    """How a metric moves: by a factor, by an amount, or to a level. Exactly one of the three."""

    of: str
    metric: str
    times: float | None = None
    add: float | None = None
    to: float | None = None
    cap: float | None = None
    """Never beyond this value."""

    @model_validator(mode="after")
    def _one_way(self) -> "Moves":
        if sum(each is not None for each in (self.times, self.add, self.to)) != 1:
            raise ValueError("give exactly one of times, add and to")
        return self


class Effect(Moves):
    """What the fault does to one metric, in full after `delay` + `rise`."""

    delay: Span = Field(default="0s", validate_default=True)
    rise: Span | None = None
    """None: the fault's own."""
    stays: bool = False
    """The repair does not undo it, such as the traffic that ran into a limit."""


class Blip(Moves):
    """A harmless excursion that comes and goes."""

    at: Span
    lasts: Span


class Silence(Strict):
    """A stretch of time for which a metric has no data points, or one that has none at all."""

    of: str
    metric: str
    at: Span | None = None
    """None: there never were any."""
    lasts: Span = Field(default="5m", validate_default=True)


class Lines(Strict):
    """Log lines that the fault brings, at their full rate after `delay` + `rise`."""

    of: str
    lines: tuple[Line, ...] = Field(min_length=1)
    delay: Span = Field(default="0s", validate_default=True)
    rise: Span | None = None


class Stops(Strict):
    """Tasks that stop while the fault lasts; the scheduler starts others, where it can."""

    of: str
    every: Span
    delay: Span = Field(default="0s", validate_default=True)
    reason: str = "Essential container in task exited"
    container_reason: str | None = None
    exit_code: int | None = None
    replaced: bool = True


class Unhealthy(Strict):
    """Targets of a service that fail their health checks while the fault lasts."""

    of: str
    count: int = Field(ge=1)
    delay: Span = Field(default="0s", validate_default=True)
    description: str = "Health checks failed with these codes: [503]"


class Says(Strict):
    """What the scheduler says again and again about a service while the fault lasts."""

    of: str
    text: str
    """Without the name of the service, e.g. `was unable to place a task. Reason: …`."""
    every: Span = Field(default="60s", validate_default=True)
    delay: Span = Field(default="0s", validate_default=True)


class Reports(Strict):
    """One of RDS's own events about an instance."""

    of: str
    message: str
    category: str
    delay: Span = Field(default="0s", validate_default=True)


class Fault(Strict):
    """What goes wrong. Not said anywhere in the cloud: it has to be found."""

    onset: Span
    rise: Span = Field(default="0s", validate_default=True)
    """0: a step."""
    growth: float = Field(default=0.0, ge=0)
    """How much worse it gets per minute after the rise, as a share of the full effect."""
    worst: float = Field(default=1.5, ge=1)
    """Growth ends at this multiple of the full effect."""
    lasts: Span | None = None
    """After which it is over by itself; None: until somebody mends it."""
    recovery: Span = Field(default="3s", validate_default=True)
    """From the repair to the healthy level, in a straight line."""
    effects: tuple[Effect, ...] = Field(min_length=1)
    logs: tuple[Lines, ...] = ()
    stops: tuple[Stops, ...] = ()
    unhealthy: tuple[Unhealthy, ...] = ()
    says: tuple[Says, ...] = ()
    reports: tuple[Reports, ...] = ()


class RunsOn(Strict):
    """An update after which the service runs a task definition with this image or these variables."""

    operation: Literal["ecs.update_service"]
    service: str
    image: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    restarted: bool = False
    """Any new deployment will do."""

    @model_validator(mode="after")
    def _says_what(self) -> "RunsOn":
        if not (self.image or self.environment or self.restarted):
            raise ValueError("give image, environment or restarted")
        return self

    @property
    def of(self) -> str:
        return f"ecs_service:{self.service}"


class Concurrency(Strict):
    """Reserved concurrency of at least so much, or none reserved."""

    operation: Literal["lambda.put_function_concurrency"]
    function: str
    at_least: int

    @property
    def of(self) -> str:
        return f"lambda_function:{self.function}"


class Reboot(Strict):
    operation: Literal["rds.reboot_db_instance"]
    instance: str

    @property
    def of(self) -> str:
        return f"rds_instance:{self.instance}"


Recovery = Annotated[RunsOn | Concurrency | Reboot, Field(discriminator="operation")]

"""What a test or a scenario does to the calls of everybody but the loader."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Knobs:
    """Keyed by IAM action or pattern (`ecs:UpdateService`, `rds:*`); turned in place, also while the cloud runs."""

    deny: set[str] = field(default_factory=set)
    latency: dict[str, float] = field(default_factory=dict)
    """Seconds before the answer."""
    throttle: dict[str, int] = field(default_factory=dict)
    """How many more calls are refused for their rate."""

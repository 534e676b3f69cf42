"""The limits of an investigation. At any of them the best answer so far is concluded, marked as cut short."""

from pydantic import BaseModel, ConfigDict, Field


class AgentSettings(BaseModel):
    """The `agent` section of config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_iterations: int = Field(default=10, ge=1, le=50)
    """Rounds of testing; each round tests all open hypotheses in parallel."""
    max_hypothesis_depth: int = Field(default=4, ge=1, le=4)
    max_hypotheses: int = Field(default=12, ge=3, le=40)
    parallel_hypotheses: int = Field(default=5, ge=1, le=12)
    max_queries: int = Field(default=40, ge=5, le=500)
    max_seconds: float = Field(default=120.0, gt=0)
    """Time of one turn: since it was opened, taken up again, or steered by a person."""

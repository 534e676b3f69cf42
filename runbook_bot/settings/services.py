"""services.yaml: the services that a team runs, written by people and read strictly."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.errors import SettingsError
from runbook_bot.settings.complaint import complain
from runbook_bot.settings.document import read

NEEDS: dict[ResourceType, tuple[str, ...]] = {
    ResourceType.ecs_service: ("cluster",),
    ResourceType.kubernetes_workload: ("cluster", "namespace", "kind"),
}
"""What a resource of that type must say besides its name."""


class WrittenResource(Resource):
    """A resource as it stands in the file: nothing unknown, and nothing missing that a vendor's call takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _a_promql_metric_is_its_own_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("type") == "metric" and value.get("promql"):
            return {"name": value["promql"], **value}
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in NEEDS.get(self.type, ()) if not getattr(self, name)]
        if self.type is ResourceType.metric and not self.promql and not self.namespace:
            missing = ["namespace (or promql)"]
        if missing:
            raise ValueError(f"a resource of type {self.type} needs {' and '.join(missing)}")
        return self


class WrittenService(Service):
    """A service as it stands in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    resources: tuple[WrittenResource, ...] = ()


class ServicesFile(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    services: tuple[WrittenService, ...] = ()


def read_services(path: Path) -> ServiceGraph:
    """The services in the file; none where it is empty or not there. Raises `SettingsError` naming line and key."""
    document = read(path)
    if document.value is None or document.value == {"services": None}:
        return ServiceGraph()
    if not isinstance(document.value, dict):
        raise SettingsError(f"{path} must hold a list under `services:`")
    try:
        written = ServicesFile.model_validate(document.value)
    except ValidationError as error:
        raise complain(error, ServicesFile, document, {}) from None
    first: dict[str, int] = {}
    for index, service in enumerate(written.services):
        where = document.where(("services", index, "name"))
        if service.name.casefold() in first:
            raise SettingsError(f"{where}: the service {service.name} stands there twice")
        if service.name in service.depends_on:
            raise SettingsError(f"{where}: the service {service.name} depends on itself")
        first[service.name.casefold()] = index
    return ServiceGraph.model_validate(written.model_dump())

"""What can be asked of AppConfig: which configuration was rolled out where, and what was rolled back; never values."""

from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_APPLICATIONS = 100
_LOOKED_INTO = 30
_MOST_ENVIRONMENTS = 50
_LATEST = 20
_EXPLAINED = 10
_ORDER = {"ROLLING_BACK": 0, "ROLLED_BACK": 0, "REVERTED": 0, "DEPLOYING": 1, "BAKING": 1, "VALIDATING": 1}
_Where = tuple[Answer, Answer]
"""An application and one of its environments."""


class Deployments(Operation):
    """Roll-outs of configuration and feature flags: state, version, by whom, why it was rolled back; those first."""

    kind: ClassVar[str] = "aws.appconfig.deployments"
    service = "appconfig"
    calls = ("ListApplications", "ListEnvironments", "ListDeployments", "GetDeployment")
    words = ("appconfig deployments", "appconfig", "feature flags", "configuration rollout", "which flag was changed",
             "configuration that was rolled back")  # fmt: skip

    application: str | None = Field(default=None, description="Name or id of the application; none means all")
    environment: str | None = Field(default=None, description="Name or id of the environment; none means all")
    window: TimeWindow | None = Field(default=None, description="When they began; none means the latest ones")

    async def answer(self, place: Place, now: datetime) -> Result:
        applications = await place.gather("appconfig", "ListApplications", "Items", _MOST_APPLICATIONS)
        chosen = [each for each in applications if self.application in (None, each.get("Id"), each.get("Name"))]
        if self.application and not chosen:
            text = f"there is no AppConfig application {self.application}"
            raise CallFailed("missing", text, action="appconfig:ListApplications")
        places, failures = await self._environments(place, chosen[:_LOOKED_INTO])
        listed, unlisted = await for_each(places, lambda where: _deployments(place, where))
        found = [(where, each) for where, several in listed for each in several if self._meant(each.get("StartedAt"))]
        found.sort(key=lambda pair: (_rank(pair[1]), newest_first(pair[1].get("StartedAt"))))
        explained, unexplained = await for_each(found[:_EXPLAINED], lambda pair: _events(place, *pair))
        why = {(_key(where), told.get("DeploymentNumber")): events for (where, told), events in explained}
        rows = [_row(where, told, why.get((_key(where), told.get("DeploymentNumber")), [])) for where, told in found]
        left = len(chosen) - _LOOKED_INTO
        told = [f"{left} more applications were not looked into; name one"] if left > 0 else []
        if any(len(several) >= _LATEST for _, several in listed):
            told.append(f"of each environment the latest {_LATEST} were read")
        return self.table(
            place,
            rows,
            empty="AppConfig rolled nothing out" + (" in this window" if self.window else ""),
            failures=[*failures, *unlisted, *unexplained],
            more="; ".join(told),
            console=_link(place, chosen[0] if len(chosen) == 1 else None),
        )

    async def _environments(self, place: Place, applications: list[Answer]) -> tuple[list[_Where], list[CallFailed]]:
        found, failures = await for_each(
            [str(each.get("Id")) for each in applications],
            lambda id: place.gather("appconfig", "ListEnvironments", "Items", _MOST_ENVIRONMENTS, ApplicationId=id),
        )
        by_id = {str(each.get("Id")): each for each in applications}
        listed = [(by_id[id], each) for id, several in found for each in several]
        meant = [pair for pair in listed if self.environment in (None, pair[1].get("Id"), pair[1].get("Name"))]
        return meant[:_MOST_ENVIRONMENTS], failures

    def _meant(self, began: datetime | None) -> bool:
        return self.window is None or (began is not None and self.window.holds(began))


def _key(where: _Where) -> tuple[str, str]:
    return str(where[0].get("Id")), str(where[1].get("Id"))


async def _deployments(place: Place, where: _Where) -> list[Answer]:
    application, environment = _key(where)
    which = {"ApplicationId": application, "EnvironmentId": environment}
    return await place.gather("appconfig", "ListDeployments", "Items", _LATEST, **which)


async def _events(place: Place, where: _Where, told: Answer) -> list[Answer]:
    application, environment = _key(where)
    answer = await place.call(
        "appconfig", "GetDeployment", ApplicationId=application, EnvironmentId=environment,
        DeploymentNumber=told.get("DeploymentNumber"),
    )  # fmt: skip
    return list(answer.get("EventLog") or [])


def _rank(told: Answer) -> int:
    return _ORDER.get(str(told.get("State")), 2)


def _row(where: _Where, told: Answer, events: list[Answer]) -> Row:
    back = [each for each in events if str(each.get("EventType", "")).startswith(("ROLLBACK", "REVERT"))]
    first = min(back, key=lambda each: -newest_first(each.get("OccurredAt")), default={})
    began = next((each for each in events if each.get("EventType") == "DEPLOYMENT_STARTED"), {})
    monitors: list[Any] = [
        str(each.get("AlarmArn", "")).rpartition(":")[2] for each in where[1].get("Monitors") or [] if each
    ]
    return Row(
        name=f"{where[0].get('Name', '?')}/{where[1].get('Name', '?')} #{told.get('DeploymentNumber', '?')}",
        at=told.get("StartedAt"),
        facts={
            "state": told.get("State"),
            "rolled_back_by": str(first["TriggeredBy"]).lower().replace("_", " ") if first.get("TriggeredBy") else None,
            "rolled_back_for": one_line(str(first.get("Description") or ""), 300) or None,
            "done_percent": told.get("PercentageComplete") if told.get("State") != "COMPLETE" else None,
            "configuration": told.get("ConfigurationName"),
            "version": told.get("VersionLabel") or told.get("ConfigurationVersion"),
            "started_by": str(began["TriggeredBy"]).lower() if began.get("TriggeredBy") else None,
            "takes_minutes": told.get("DeploymentDurationInMinutes"),
            "ended": told["CompletedAt"].isoformat() if told.get("CompletedAt") else None,
            "rolls_back_on": monitors or None,
        },
    )


def _link(place: Place, application: Answer | None) -> str:
    page = f"/applications/{quote(str(application.get('Id')), safe='')}" if application else "/applications"
    return console_page(place.region, f"systems-manager/appconfig{page}")


OPERATIONS = (Deployments,)

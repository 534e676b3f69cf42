"""What can be asked of EKS over time: updates and how they ended, and what it warns of before the next upgrade."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.operations.eks import MOST_PARTS, cluster_page
from runbook_bot.providers.aws.operations.listing import cut_short, newest_first, said_at
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer, Place

_MOST_UPDATES = 25
_MOST_DESCRIBED = 200
_MOST_INSIGHTS = 200


class Updates(Operation):
    """Updates of an EKS cluster, its node groups and add-ons: what, how it ended; the failed first, with errors."""

    kind: ClassVar[str] = "aws.eks.updates"
    service = "eks"
    calls = ("ListUpdates", "DescribeUpdate", "ListNodegroups", "ListAddons")
    words = ("eks updates", "cluster upgrades", "update history", "kubernetes upgrade", "failed node group update")

    cluster: str = Field(description="Name of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        parts = Parts()
        subjects: list[tuple[str, dict[str, str]]] = []
        for action, key, parameter in (
            ("ListNodegroups", "nodegroups", "nodegroupName"),
            ("ListAddons", "addons", "addonName"),
        ):
            found_parts = await parts.get(place.gather("eks", action, key, MOST_PARTS, clusterName=self.cluster), [])
            subjects += [(str(name), {parameter: str(name)}) for name in found_parts]
        own = await self._ids(place, {})
        listed = await parts.each(subjects, lambda subject: self._ids(place, subject[1]))
        updates = [(("cluster", {}), own), *listed]
        asked = [(subject, id) for subject, ids in updates for id in ids]
        full = [name for (name, _), ids in updates if len(ids) >= _MOST_UPDATES]
        left = len(asked) - _MOST_DESCRIBED
        found = await parts.each(asked[:_MOST_DESCRIBED], lambda each: self._described(place, each[0][1], each[1]))
        rows = [_update(subject, answer) for ((subject, _), _), answer in found if answer]
        rows.sort(key=lambda row: (row.facts.get("status") != "Failed", newest_first(row.at)))
        return self.table(
            place,
            rows,
            empty="EKS tells of no update",
            failures=parts.failures,
            more="; ".join(
                [f"of {names(full)} {_MOST_UPDATES} updates were listed"] * bool(full)
                + [f"{left} more updates were not read"] * (left > 0)
            ),
            console=cluster_page(place, self.cluster),
        )

    async def _ids(self, place: Place, subject: Mapping[str, str]) -> list[str]:
        return await place.gather("eks", "ListUpdates", "updateIds", _MOST_UPDATES, name=self.cluster, **subject)

    async def _described(self, place: Place, subject: Mapping[str, str], id: str) -> Answer:
        answer = await place.call("eks", "DescribeUpdate", name=self.cluster, updateId=id, **subject)
        update: Answer = answer.get("update") or {}
        return update


def _update(subject: str, told: Answer) -> Row:
    facts: Answer = {
        "status": told.get("status"),
        "what": told.get("type"),
        "errors": [
            one_line(f"{e.get('errorCode')}: {e.get('errorMessage', '')} ({names(e.get('resourceIds') or [])})", 400)
            for e in told.get("errors") or []
        ]
        or None,
        "to": {str(each.get("type")): str(each.get("value")) for each in told.get("params") or []} or None,
        "id": told.get("id"),
    }
    return Row(name=subject, at=told.get("createdAt"), facts=facts)


class Insights(Operation):
    """What EKS finds in a cluster that an upgrade would break, or that is set up wrongly; errors before warnings."""

    kind: ClassVar[str] = "aws.eks.insights"
    service = "eks"
    calls = ("ListInsights",)
    words = ("upgrade insights", "deprecated kubernetes apis", "eks insights", "is the cluster ready to upgrade")

    cluster: str = Field(description="Name of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather("eks", "ListInsights", "insights", _MOST_INSIGHTS, clusterName=self.cluster)
        order = {"ERROR": 0, "WARNING": 1, "UNKNOWN": 2}
        found.sort(key=lambda each: order.get(str((each.get("insightStatus") or {}).get("status")), 3))
        return self.table(
            place,
            [_insight(each) for each in found],
            empty="EKS has no insight about this cluster",
            more=cut_short(found, _MOST_INSIGHTS, "the console shows the rest"),
            console=cluster_page(place, self.cluster),
        )


def _insight(told: Answer) -> Row:
    status = told.get("insightStatus") or {}
    facts: Answer = {
        "status": status.get("status"),
        "reason": status.get("reason"),
        "category": told.get("category"),
        "for_version": told.get("kubernetesVersion"),
        "means": told.get("description"),
        "since": said_at(told.get("lastTransitionTime")),
    }
    return Row(name=str(told.get("name", "?")), at=told.get("lastRefreshTime"), facts=facts)


OPERATIONS = (Updates, Insights)

"""What can be asked of Auto Scaling: groups and their instances, what they did and why not, what makes them move."""

from collections import Counter
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_link, console_page
from runbook_bot.providers.aws.operations.listing import cut_short, newest_first, said_at
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 500
_MOST_ACTIVITIES = 300
_MOST_PAGES = 10
_MOST_REFRESHES = 20
_FAILED = ("Failed", "Cancelled")
_ROLLED = ("Failed", "RollbackFailed", "RollbackSuccessful", "Cancelled")
_GROUPS_PAGE = "ec2/home#AutoScalingGroups:"


async def read_groups(place: Place, names: tuple[str, ...]) -> list[Answer]:
    """All groups, or those of these names. Raises `CallFailed`."""
    which = {"AutoScalingGroupNames": list(names)} if names else {}
    return await place.gather("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", _MOST, **which)


def _page(place: Place, group: str | None) -> str | None:
    if group is None:
        return console_page(place.region, _GROUPS_PAGE)
    return console_link(Resource(type=ResourceType.autoscaling_group, name=group), place.region)


class Groups(Operation):
    """Auto Scaling groups: size against limits, unhealthy instances, suspended processes; the troubled first."""

    kind: ClassVar[str] = "aws.autoscaling.groups"
    service = "autoscaling"
    calls = ("DescribeAutoScalingGroups",)
    words = ("auto scaling groups", "scaling groups", "suspended processes", "group at its maximum", "desired capacity")

    names: tuple[str, ...] = Field(default=(), description="Names of the groups; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await read_groups(place, self.names)
        rows = [_group(each) for each in found]
        rows.sort(key=lambda row: (not row.facts.get("trouble"), row.name))
        return self.table(
            place,
            rows,
            empty="there is no such Auto Scaling group" if self.names else "there is no Auto Scaling group",
            more=cut_short(found, _MOST, "name some groups"),
            console=_page(place, self.names[0] if len(self.names) == 1 else None),
        )


def _ill(instance: Answer) -> bool:
    return instance.get("HealthStatus") != "Healthy"


def _group(told: Answer) -> Row:
    instances: list[Answer] = told.get("Instances") or []
    serving = [each for each in instances if each.get("LifecycleState") == "InService" and not _ill(each)]
    suspended = {
        str(e.get("ProcessName")): str(e.get("SuspensionReason", "")) for e in told.get("SuspendedProcesses") or []
    }
    facts: Answer = {
        "trouble": _trouble(told, instances, len(serving)) or None,
        "minimum": told.get("MinSize"),
        "desired": told.get("DesiredCapacity"),
        "maximum": told.get("MaxSize"),
        "in_service": len(serving),
        "unhealthy": [str(each.get("InstanceId")) for each in instances if _ill(each)] or None,
        "lifecycle": dict(Counter(str(each.get("LifecycleState")) for each in instances)),
        "zones": dict(Counter(str(each.get("AvailabilityZone")) for each in instances))
        or list(told.get("AvailabilityZones") or []),
        "suspended": suspended or None,
        "health_check": told.get("HealthCheckType"),
        "grace_seconds": told.get("HealthCheckGracePeriod"),
        "template": _template(told),
        "instance_templates": dict(Counter(_template(each) or "none" for each in instances)) or None,
        "target_groups": [
            str(arn).rpartition(":targetgroup/")[2].partition("/")[0] for arn in told.get("TargetGroupARNs") or []
        ],
        "status": told.get("Status"),
    }
    return Row(name=str(told.get("AutoScalingGroupName", "?")), at=told.get("CreatedTime"), facts=facts)


def _trouble(told: Answer, instances: list[Answer], serving: int) -> list[str]:
    desired, most = told.get("DesiredCapacity"), told.get("MaxSize")
    ill = sum(1 for each in instances if _ill(each))
    templates = {_template(each) for each in instances}
    return [
        text
        for text, holds in (
            (f"{serving} of {desired} in service", desired is not None and serving < desired),
            (f"{ill} unhealthy", ill > 0),
            ("at its maximum, cannot grow", bool(most) and desired == most and most != told.get("MinSize")),
            ("processes are suspended", bool(told.get("SuspendedProcesses"))),
            ("instances of several templates", len(templates) > 1),
            (str(told.get("Status")), bool(told.get("Status"))),
        )
        if holds
    ]


def _template(told: Answer) -> str | None:
    """Launch template with its version, or launch configuration."""
    mixed = ((told.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
    template = told.get("LaunchTemplate") or mixed
    if template:
        return f"{template.get('LaunchTemplateName') or template.get('LaunchTemplateId')}:{template.get('Version', '')}"
    return told.get("LaunchConfigurationName")


class GroupInstances(Operation):
    """The instances of Auto Scaling groups with lifecycle state, health, zone and template; the unhealthy first."""

    kind: ClassVar[str] = "aws.autoscaling.instances"
    service = "autoscaling"
    calls = ("DescribeAutoScalingGroups",)
    words = ("instances of a scaling group", "unhealthy instances", "which instances are in the group")

    names: tuple[str, ...] = Field(default=(), description="Names of the groups; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await read_groups(place, self.names)
        members = [
            (str(group.get("AutoScalingGroupName")), each) for group in found for each in group.get("Instances") or []
        ]
        members.sort(key=lambda pair: (not _ill(pair[1]), pair[1].get("LifecycleState") == "InService", pair[0]))
        return self.table(
            place,
            [_member(group, each) for group, each in members],
            empty="the groups have no instance" if found else "there is no such Auto Scaling group",
            more=cut_short(found, _MOST, "name some groups"),
            console=_page(place, self.names[0] if len(self.names) == 1 else None),
        )


def _member(group: str, told: Answer) -> Row:
    facts: Answer = {
        "group": group,
        "health": told.get("HealthStatus"),
        "lifecycle": told.get("LifecycleState"),
        "zone": told.get("AvailabilityZone"),
        "type": told.get("InstanceType"),
        "template": _template(told),
        "protected_from_scale_in": told.get("ProtectedFromScaleIn") or None,
    }
    return Row(name=str(told.get("InstanceId", "?")), facts=facts)


class Activities(Operation):
    """What Auto Scaling groups did and why: launches and terminations, those that failed first, with the reason."""

    kind: ClassVar[str] = "aws.autoscaling.activities"
    service = "autoscaling"
    calls = ("DescribeScalingActivities",)
    words = ("scaling activities", "scaling history", "failed launches", "why did it scale", "why did it not scale",
             "insufficient capacity")  # fmt: skip

    name: str | None = Field(default=None, description="Name of the group; none means all groups")
    window: TimeWindow | None = Field(default=None, description="When they began; none means the last six weeks")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"AutoScalingGroupName": self.name} if self.name else {}
        meant, cut = await self._began(place, which)
        reasons = Counter(_reason(each) for each in meant if _reason(each))
        meant.sort(key=lambda each: (each.get("StatusCode") not in _FAILED, newest_first(each.get("StartTime"))))
        return self.table(
            place,
            [_activity(each, reasons) for each in meant],
            empty="no scaling activity is known of; Auto Scaling forgets them after six weeks",
            more=cut,
            console=_page(place, self.name),
        )

    async def _began(self, place: Place, which: Answer) -> tuple[list[Answer], str]:
        """The activities of the window, and a clause where there may be more: AWS tells the latest first."""
        found: list[Answer] = []
        pages = 0
        async for page in place.pages("autoscaling", "DescribeScalingActivities", **which):
            told: list[Answer] = page.get("Activities") or []
            found += [each for each in told if self._meant(each.get("StartTime"))]
            pages += 1
            oldest = min((utc(each["StartTime"]) for each in told if each.get("StartTime")), default=None)
            if self.window is not None and oldest is not None and oldest < self.window.start:
                break
            if page.get("NextToken") and (len(found) >= _MOST_ACTIVITIES or pages >= _MOST_PAGES):
                return found, f"activities were read back to {said_at(oldest)} only; name a group or a later window"
        return found, ""

    def _meant(self, began: datetime | None) -> bool:
        return self.window is None or (began is not None and self.window.holds(began))


def _reason(told: Answer) -> str:
    """What went wrong; the same for all that went wrong in the same way."""
    return str(told.get("StatusMessage") or "")


def _activity(told: Answer, reasons: Counter[str]) -> Row:
    began, ended = told.get("StartTime"), told.get("EndTime")
    failed = told.get("StatusCode") in _FAILED
    facts: Answer = {
        "status": told.get("StatusCode"),
        "message": told.get("StatusMessage"),
        "same_message": reasons[_reason(told)] if failed and _reason(told) else None,
        "what": told.get("Description"),
        "cause": told.get("Cause"),
        "seconds": round((ended - began).total_seconds()) if began and ended else None,
        "progress_percent": told.get("Progress") if not ended else None,
    }
    return Row(name=str(told.get("AutoScalingGroupName", "?")), at=began, facts=facts)


class Policies(Operation):
    """What makes Auto Scaling groups grow and shrink: policies with targets and alarms, those switched off first."""

    kind: ClassVar[str] = "aws.autoscaling.policies"
    service = "autoscaling"
    calls = ("DescribePolicies",)
    words = ("scaling policies", "target tracking", "step scaling", "what triggers scaling")

    name: str | None = Field(default=None, description="Name of the group; none means all groups")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"AutoScalingGroupName": self.name} if self.name else {}
        found = await place.gather("autoscaling", "DescribePolicies", "ScalingPolicies", _MOST, **which)
        found.sort(key=lambda each: (each.get("Enabled") is not False, str(each.get("AutoScalingGroupName"))))
        return self.table(
            place,
            [_policy(each) for each in found],
            empty="no scaling policy: nothing changes the size by itself but a schedule",
            more=cut_short(found, _MOST, "name a group"),
            console=_page(place, self.name),
        )


def _policy(told: Answer) -> Row:
    tracking = told.get("TargetTrackingConfiguration") or {}
    facts: Answer = {
        "group": told.get("AutoScalingGroupName"),
        "type": told.get("PolicyType"),
        "enabled": told.get("Enabled"),
        "metric": _tracked(tracking),
        "target": tracking.get("TargetValue"),
        "only_grows": tracking.get("DisableScaleIn") or None,
        "steps": [_step(each) for each in told.get("StepAdjustments") or []] or None,
        "adjustment": told.get("ScalingAdjustment"),
        "adjustment_type": told.get("AdjustmentType"),
        "cooldown_seconds": told.get("Cooldown"),
        "warmup_seconds": told.get("EstimatedInstanceWarmup"),
        "alarms": [str(each.get("AlarmName")) for each in told.get("Alarms") or []],
    }
    return Row(name=str(told.get("PolicyName", "?")), facts=facts)


def _tracked(tracking: Answer) -> Any:
    own = tracking.get("CustomizedMetricSpecification") or {}
    given = tracking.get("PredefinedMetricSpecification") or {}
    return (
        given.get("PredefinedMetricType")
        or " ".join(filter(None, (own.get("Namespace"), own.get("MetricName"))))
        or None
    )


def _step(told: Answer) -> str:
    low, high = told.get("MetricIntervalLowerBound", "-∞"), told.get("MetricIntervalUpperBound", "∞")
    return f"{low} to {high}: {told.get('ScalingAdjustment')}"


class ScheduledActions(Operation):
    """Changes of size that Auto Scaling groups make by the clock, the next one first."""

    kind: ClassVar[str] = "aws.autoscaling.scheduled_actions"
    service = "autoscaling"
    calls = ("DescribeScheduledActions",)
    words = ("scheduled scaling", "scheduled actions", "scale by the clock", "nightly scale in")

    name: str | None = Field(default=None, description="Name of the group; none means all groups")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"AutoScalingGroupName": self.name} if self.name else {}
        found = await place.gather(
            "autoscaling", "DescribeScheduledActions", "ScheduledUpdateGroupActions", _MOST, **which
        )
        found.sort(key=lambda each: (each.get("StartTime") is None, -newest_first(each.get("StartTime"))))
        return self.table(
            place,
            [_action(each) for each in found],
            empty="no size is changed by the clock",
            more=cut_short(found, _MOST, "name a group"),
            console=_page(place, self.name),
        )


def _action(told: Answer) -> Row:
    facts: Answer = {
        "group": told.get("AutoScalingGroupName"),
        "recurrence": told.get("Recurrence"),
        "time_zone": told.get("TimeZone"),
        "minimum": told.get("MinSize"),
        "desired": told.get("DesiredCapacity"),
        "maximum": told.get("MaxSize"),
        "ends": said_at(told.get("EndTime")),
    }
    return Row(name=str(told.get("ScheduledActionName", "?")), at=told.get("StartTime"), facts=facts)


class InstanceRefreshes(Operation):
    """Replacements of all instances of an Auto Scaling group: state, progress, reason; the failed ones first."""

    kind: ClassVar[str] = "aws.autoscaling.instance_refreshes"
    service = "autoscaling"
    calls = ("DescribeInstanceRefreshes",)
    words = ("instance refresh", "rolling replacement", "refresh of a scaling group")

    name: str = Field(description="Name of the group")

    async def answer(self, place: Place, now: datetime) -> Result:
        answer = await place.call(
            "autoscaling", "DescribeInstanceRefreshes", AutoScalingGroupName=self.name, MaxRecords=_MOST_REFRESHES
        )
        found: list[Answer] = answer.get("InstanceRefreshes") or []
        found.sort(key=lambda each: (each.get("Status") not in _ROLLED, newest_first(each.get("StartTime"))))
        older = answer.get("NextToken")
        return self.table(
            place,
            [_refresh(each) for each in found],
            empty="no instance refresh is known of",
            more=f"only the latest {_MOST_REFRESHES} were read" if older else "",
            console=_page(place, self.name),
        )


def _refresh(told: Answer) -> Row:
    template = (told.get("DesiredConfiguration") or {}).get("LaunchTemplate")
    rolled = told.get("RollbackDetails") or {}
    facts: Answer = {
        "status": told.get("Status"),
        "reason": told.get("StatusReason"),
        "done_percent": told.get("PercentageComplete"),
        "instances_left": told.get("InstancesToUpdate"),
        "template": _template({"LaunchTemplate": template}) if template else None,
        "rolled_back_for": rolled.get("RollbackReason"),
        "ended": said_at(told.get("EndTime")),
    }
    return Row(name=str(told.get("InstanceRefreshId", "?")), at=told.get("StartTime"), facts=facts)


OPERATIONS = (Groups, GroupInstances, Activities, Policies, ScheduledActions, InstanceRefreshes)

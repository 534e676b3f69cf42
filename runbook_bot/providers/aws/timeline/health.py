"""AWS Health: what AWS itself announced or suffered, for the resources and for their services in this region."""

import re
from collections.abc import Sequence

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.arn_names import names_in
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_MOST = 50
_IN_ONE_CALL = 10
_REMEMBERED_SECONDS = 300.0
_NO_PLAN = re.compile(r"Subscription", re.IGNORECASE)
_HOMES = {"cn": "cn-northwest-1", "us-gov": "us-gov-west-1"}
SERVICES = {
    R.ecs_service: ("ECS", "FARGATE"),
    R.lambda_function: ("LAMBDA",),
    R.ec2_instance: ("EC2", "EBS"),
    R.autoscaling_group: ("AUTOSCALING", "EC2"),
    R.rds_instance: ("RDS",),
    R.rds_cluster: ("RDS", "AURORA"),
    R.dynamodb_table: ("DYNAMODB",),
    R.elasticache_cluster: ("ELASTICACHE",),
    R.load_balancer: ("ELASTICLOADBALANCING",),
    R.target_group: ("ELASTICLOADBALANCING",),
    R.api_gateway: ("APIGATEWAY",),
    R.sqs_queue: ("SQS",),
    R.kinesis_stream: ("KINESIS",),
    R.s3_bucket: ("S3",),
    R.eks_cluster: ("EKS",),
    R.amplify_app: ("AMPLIFY", "AMPLIFYCONSOLE"),
}
"""AWS Health's names of the services behind each type."""


async def read_health(place: Place, window: TimeWindow) -> list[tuple[Answer, frozenset[str]]]:
    """Issues and scheduled changes that touch the window, each with the names of what they affect.

    Empty too without a support plan that has AWS Health's interface. Raises `CallFailed`.
    """
    home = place.at(_home(place.region))
    since = window.start.replace(hour=0, minute=0, second=0, microsecond=0)  # so that one answer does for every window

    async def look() -> list[Answer]:
        asked = {
            "regions": [place.region, "global"],
            "eventTypeCategories": ["issue", "scheduledChange"],
            "lastUpdatedTimes": [{"from": since}],
        }
        try:
            return await home.gather("health", "DescribeEvents", "events", _MOST, filter=asked)
        except CallFailed as failure:
            if _NO_PLAN.search(str(failure)):
                return []
            raise

    key = ("health", place.region, since.isoformat())
    events = [each for each in await place.recall(key, _REMEMBERED_SECONDS, look) if _touches(each, window)]
    return await _with_entities(home, events)


async def _with_entities(home: Place, events: Sequence[Answer]) -> list[tuple[Answer, frozenset[str]]]:
    names: dict[str, set[str]] = {}
    arns = [str(each.get("arn")) for each in events]
    for start in range(0, len(arns), _IN_ONE_CALL):
        asked = {"eventArns": arns[start : start + _IN_ONE_CALL]}
        try:
            told = await home.gather("health", "DescribeAffectedEntities", "entities", 500, filter=asked)
        except CallFailed:
            break  # the events themselves are known
        for entity in told:
            names.setdefault(str(entity.get("eventArn")), set()).update(names_in(str(entity.get("entityValue") or "")))
    return [(each, frozenset(names.get(str(each.get("arn")), ()))) for each in events]


def _home(region: str) -> str:
    return next((home for prefix, home in _HOMES.items() if region.startswith(f"{prefix}-")), "us-east-1")


def _touches(event: Answer, window: TimeWindow) -> bool:
    start, end = event.get("startTime"), event.get("endTime")
    return start is not None and utc(start) < window.end and (end is None or utc(end) >= window.start)


def about(event: Answer, affected: frozenset[str], resource: Resource) -> str | None:
    """ "" where the very resource is affected, its service in the region where that is; None where it is neither."""
    if resource.name in affected:
        return ""
    service = str(event.get("service") or "").upper()
    whole = service in SERVICES.get(resource.type, ()) and event.get("eventTypeCategory") == "issue"
    return f"{service} in {event.get('region') or 'all regions'}" if whole and not affected else None


def said(event: Answer) -> str:
    """`AWS_RDS_OPERATIONAL_ISSUE` as `RDS operational issue in us-east-1a (open)`."""
    code = str(event.get("eventTypeCode") or "").removeprefix("AWS_")
    service, _, rest = code.partition("_")
    where = event.get("availabilityZone") or event.get("region") or ""
    status = str(event.get("statusCode") or "")
    return f"{service} {rest.replace('_', ' ').lower()}" + (f" in {where}" if where else "") + f" ({status})"


async def _tell(scene: Scene) -> Told:
    try:
        events = await read_health(scene.place, scene.window)
    except CallFailed as failure:
        return Told(failures=absent(failure, scene))
    told = Told()
    for event, affected in events:
        hit = [(r, place) for r in scene.resources if (place := about(event, affected, r)) is not None]
        hit = [pair for pair in hit if not pair[1]] or hit[:1]
        told.claims += [Claim(_change(scene, event, resource, place), depth=2) for resource, place in hit]
    return told


def _change(scene: Scene, event: Answer, resource: Resource, through: str) -> Change:
    start = utc(event["startTime"])
    end = f", until {utc(event['endTime']):%Y-%m-%d %H:%M} UTC" if event.get("endTime") else ""
    return Change(
        at=max(start, scene.window.start),
        kind="vendor",
        summary=f"AWS reports: {said(event)} since {start:%Y-%m-%d %H:%M} UTC{end}",
        actor="AWS",
        resource=resource,
        reference=str(event.get("arn") or ""),
        through=through,
    )


SOURCE = Source(
    ("health.DescribeEvents", "health.DescribeAffectedEntities"), lambda scene: bool(scene.of(*SERVICES)), _tell
)

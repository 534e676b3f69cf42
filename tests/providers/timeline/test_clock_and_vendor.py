"""What nobody did by hand: jobs by the clock, AWS's own announcements, certificates that end."""

import json
from datetime import timedelta

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import StandIn
from tests.providers.timeline.test_shared_things import DATABASE
from tests.providers.timeline.trail import event, tell

AT = (NOW - timedelta(minutes=20)).replace(second=0)
HOST = "orders-db.abc.us-east-1.rds.amazonaws.com"
FRONT = Resource(type=ResourceType.load_balancer, name="front")
NO_EVENTS = "<DescribeEventsResponse><DescribeEventsResult/></DescribeEventsResponse>"


def task(shop: Shop, family: str = "export") -> str:
    """A job that works on the database."""
    return shop.revision("shop/export:1", {"DATABASE_URL": f"postgres://shop:secret@{HOST}:5432/shop"}, family=family)


async def test_a_rule_whose_task_uses_the_database_fired(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.breaks("DescribeDBInstances", 200, DATABASE)
    aws.breaks("DescribeEvents", 200, NO_EVENTS)
    tell(aws)
    definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{task(shop)}"
    events = shop.client("events")
    events.put_rule(Name="nightly-export", ScheduleExpression=f"cron({AT.minute} {AT.hour} * * ? *)")
    events.put_rule(Name="each-minute", ScheduleExpression="cron(* * * * ? *)")
    cluster = "arn:aws:ecs:us-east-1:123456789012:cluster/prod"
    target = {
        "Id": "1",
        "Arn": cluster,
        "RoleArn": "arn:aws:iam::1:role/x",
        "EcsParameters": {"TaskDefinitionArn": definition},
    }
    for rule in ("nightly-export", "each-minute"):
        events.put_targets(Rule=rule, Targets=[target])
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    (change,) = result.changes
    assert (change.kind, change.at, change.actor, change.through) == ("schedule", AT, "EventBridge", "task export")
    assert change.summary.startswith("rule nightly-export fired by its timetable cron(")
    assert change.summary.endswith("and ran task export:1, which uses orders-db")


async def test_a_task_that_somebody_started_uses_the_database(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.breaks("DescribeDBInstances", 200, DATABASE)
    aws.breaks("DescribeEvents", 200, NO_EVENTS)
    tell(aws, event("RunTask", "ecs", AT, {"cluster": "prod", "taskDefinition": task(shop, "backfill")}))
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    (change,) = result.changes
    assert (change.kind, change.actor) == ("schedule", "rosa (via SSO role Admin)")
    assert change.summary == "task backfill:1 was started, which uses orders-db"


async def test_a_schedule_that_invokes_the_function(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    tell(aws)
    shop.client("scheduler").create_schedule(
        Name="early",
        ScheduleExpression=f"cron({AT.minute} {AT.hour} * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:us-east-1:1:function:receipts", "RoleArn": "arn:aws:iam::1:role/x"},
    )
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    (change,) = result.changes
    assert (change.kind, change.at, change.through) == ("schedule", AT, "")


async def test_an_issue_that_aws_announced_is_the_vendor_s_own(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto has no AWS Health; the answers are in the shape of its service model."""
    aws.breaks("DescribeDBInstances", 200, DATABASE)
    issue = {
        "arn": "arn:aws:health:us-east-1::event/RDS/1",
        "service": "RDS",
        "eventTypeCode": "AWS_RDS_HARDWARE_MAINTENANCE_SCHEDULED",
        "eventTypeCategory": "scheduledChange",
        "region": "us-east-1",
        "startTime": AT.timestamp(),
        "statusCode": "open",
    }
    aws.says("DescribeEvents", {"events": [issue]})
    of_health = aws.answers["DescribeEvents"]
    aws.breaks("DescribeEvents", 200, NO_EVENTS)
    of_rds = aws.answers["DescribeEvents"]
    aws.answers["DescribeEvents"] = lambda body: of_health(body) if body.startswith("{") else of_rds(body)
    entity = {"eventArn": issue["arn"], "entityValue": "arn:aws:rds:us-east-1:1:db:orders-db"}
    aws.says("DescribeAffectedEntities", {"entities": [entity]})
    tell(aws)
    result = await provider.ask(ListChanges(resources=(ORDERS_DB, RECEIPTS), window=window))
    (change,) = [each for each in result.changes if each.kind == "vendor"]
    assert (change.actor, change.resource, change.through) == ("AWS", ORDERS_DB, "")
    assert change.summary.startswith("AWS reports: RDS hardware maintenance scheduled in us-east-1 (open) since ")


async def test_without_a_support_plan_health_is_not_missed(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    aws.refuses("DescribeEvents", "SubscriptionRequiredException", "")
    tell(aws)
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    assert result.status is Status.no_data
    assert result.message == "no change was found in this window"


async def test_a_certificate_that_ended_within_the_window(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto's certificates are valid for a year; the answer is in the shape of ACM's."""
    shop.balanced()
    arn = "arn:aws:acm:us-east-1:1:certificate/c-1"
    listener = f"<member><Certificates><member><CertificateArn>{arn}</CertificateArn></member></Certificates></member>"
    inner = f"<DescribeListenersResult><Listeners>{listener}</Listeners></DescribeListenersResult>"
    aws.breaks("DescribeListeners", 200, f"<DescribeListenersResponse>{inner}</DescribeListenersResponse>")
    told = {"CertificateArn": arn, "DomainName": "*.example.org", "NotAfter": AT.timestamp(), "Type": "IMPORTED"}
    aws.says("DescribeCertificate", {"Certificate": told})
    tell(aws)
    result = await provider.ask(ListChanges(resources=(FRONT,), window=window))
    (change,) = result.changes
    assert (change.kind, change.at) == ("vendor", AT)
    assert change.summary == "certificate of *.example.org, used by front, expired"


async def test_the_weights_of_a_rule_are_a_change_of_its_load_balancer(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.balanced()
    group = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/{}/6d0ecf831eec9f09"
    weights = [{"targetGroupArn": group.format(n), "weight": w} for n, w in (("blue", 10), ("green", 90))]
    request = {
        "ruleArn": "arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/app/front/1/2/3",
        "actions": [{"type": "forward", "forwardConfig": {"targetGroups": weights}}],
    }
    tell(aws, event("ModifyRule", "elasticloadbalancing", AT, request))
    result = await provider.ask(ListChanges(resources=(FRONT,), window=window))
    (change,) = result.changes
    assert change.after == {"weight.blue": "10", "weight.green": "90"}
    assert json.dumps(change.model_dump(mode="json"))


async def test_a_rule_by_a_rate_fired_when_its_metric_says_so(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    tell(aws)
    events = shop.client("events")
    for name, rate in (("hourly", "rate(1 hour)"), ("busy", "rate(5 minutes)")):
        events.put_rule(Name=name, ScheduleExpression=rate)
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": "arn:aws:lambda:us-east-1:1:function:receipts"}])
        shop.points_at("AWS/Events", "TriggeredRules", {"RuleName": name}, {AT: 1.0})
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    assert [(change.at, change.summary) for change in result.changes] == [
        (AT, "rule hourly fired by its timetable rate(1 hour) for receipts")
    ]

"""A sentence asked of AWS whole: routed, put to every region, one answer. Against canned answers of ECS."""

from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.world import World
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import FixedClock
from tests.providers.stand_in import StandIn

CART = Service(name="cart", resources=(Resource(type=ResourceType.ecs_service, cluster="shop", name="cart-api"),))
ARN = "arn:aws:ecs:us-east-1:1:task/shop/abc"


def asker(*regions: str) -> Asker:
    provider = AwsProvider(AwsSettings(regions=regions), FixedClock())
    return Asker(World([provider]), None, ServiceGraph(services=(CART,)), FixedClock())


async def test_every_region_is_asked_and_the_answer_says_which_and_how(aws: StandIn) -> None:
    aws.says("ListTasks", {"taskArns": [ARN]})
    aws.says("DescribeTasks", {"tasks": [{"taskArn": ARN, "stoppedReason": "Essential container exited"}]})
    answer = await asker("us-east-1", "eu-west-1").ask("why did tasks of cart stop?")
    assert answer.intent == "operation"
    assert answer.text.startswith(
        "2 rows from ecs stopped tasks in us-east-1, cluster shop, name cart-api and ecs stopped"
    )
    assert "in eu-west-1" in answer.text
    (source,) = answer.sources
    assert source.source == "aws.ecs"
    assert any(note.startswith("Asked aws.ecs.stopped_tasks: ") for note in answer.notes)
    assert "place" in answer.tables[0].columns
    assert {cell for row in answer.tables[0].rows for cell in row} >= {"us-east-1", "eu-west-1"}


async def test_what_is_denied_is_named_with_its_permission(aws: StandIn) -> None:
    told = "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:ListTasks on resource: *"
    aws.refuses("ListTasks", "AccessDeniedException", told)
    answer = await asker("us-east-1").ask("stopped tasks of cart")
    assert answer.text.startswith("No answer from ecs stopped tasks in us-east-1")
    assert any("ecs:ListTasks" in each for each in answer.unseen)


async def test_an_empty_answer_says_what_it_means(aws: StandIn) -> None:
    aws.says("ListTasks", {"taskArns": []})
    answer = await asker("us-east-1").ask("stopped tasks of cart")
    assert answer.text.startswith("Nothing from ecs stopped tasks in us-east-1, cluster shop, name cart-api: ")

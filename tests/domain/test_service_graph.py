"""Who depends on whom, with cycles and unknown names; and what is written wins over what is found."""

from datetime import UTC, datetime

import pytest

from runbook_bot.domain.service import Edge, Look, Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType


def resource(name: str, type: ResourceType = ResourceType.ecs_service, **more: object) -> Resource:
    return Resource.model_validate({"type": type, "name": name, **more})


def service(name: str, *calls: str, **more: object) -> Service:
    return Service.model_validate({"name": name, "depends_on": calls, **more})


NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
SHOP = ServiceGraph(
    services=(
        service("web", "checkout"),
        service("checkout", "pricing", "orders-db"),
        service("pricing", "rates"),
        service("orders-db"),
        service("batch", "orders-db"),
    )
)


def test_dependencies_with_their_distance_even_where_one_is_unknown() -> None:
    assert SHOP.dependencies("web") == {"checkout": 1, "pricing": 2, "orders-db": 2, "rates": 3}
    assert SHOP.dependencies("web", hops=1) == {"checkout": 1}
    assert SHOP.dependencies("rates") == {}


def test_dependents_with_their_distance() -> None:
    assert SHOP.dependents("orders-db") == {"checkout": 1, "batch": 1, "web": 2}
    assert SHOP.dependents("rates") == {"pricing": 1, "checkout": 2, "web": 3}


def test_a_cycle_ends_and_nobody_depends_on_themselves() -> None:
    ring = ServiceGraph(services=(service("a", "b"), service("b", "c"), service("c", "a"), service("d", "d")))
    assert ring.dependencies("a", hops=9) == {"b": 1, "c": 2}
    assert ring.dependents("a", hops=9) == {"c": 1, "b": 2}
    assert ring.dependencies("d") == {}


def test_the_shortest_way_counts() -> None:
    graph = ServiceGraph(services=(service("a", "b", "c"), service("b", "c"), service("c")))
    assert graph.dependencies("a") == {"b": 1, "c": 1}


def test_a_service_is_found_whatever_its_case() -> None:
    found = SHOP.service("Checkout")
    assert found is not None
    assert found.name == "checkout"
    assert SHOP.service("nobody") is None


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (resource("checkout", cluster="prod"), "ecs_service:prod/checkout"),
        (resource("orders", ResourceType.rds_instance), "rds_instance:orders"),
        (
            resource("api", ResourceType.kubernetes_workload, cluster="c", namespace="n", kind="Deployment"),
            "kubernetes_workload:c/n/Deployment/api",
        ),
        (
            resource("lag", ResourceType.metric, namespace="Shop", dimensions={"b": "2", "a": "1"}),
            "metric:Shop/lag{a=1,b=2}",
        ),
    ],
)
def test_the_key_of_a_resource(resource: Resource, key: str) -> None:
    assert resource.key == key


def test_what_is_written_wins_and_nothing_is_removed() -> None:
    mine = resource("checkout", cluster="prod")
    found_resources = (mine, resource("checkout-worker", cluster="prod"))
    written = ServiceGraph(services=(service("checkout", "pricing", owner="payments", resources=(mine,)),))
    found = ServiceGraph(
        services=(
            service("checkout", "pricing", "orders-db", owner="nobody", tier="1", resources=found_resources),
            service("prod-checkout", resources=(mine,)),
        )
    )
    merged = written.merged(found)
    checkout = merged.service("checkout")
    assert checkout is not None
    assert (checkout.owner, checkout.tier) == ("payments", "1")
    assert checkout.depends_on == ("pricing", "orders-db")
    assert [each.name for each in checkout.resources] == ["checkout", "checkout-worker"]
    assert merged.service("prod-checkout") is None, "what has a written name is not known by another one"
    owner = merged.owner_of(mine)
    assert owner is not None
    assert owner.name == "checkout"


def test_what_is_found_under_another_name_joins_what_is_written() -> None:
    worker, table = resource("likes-writer"), resource("likes-table")
    logs = resource("/logs/likes-writer", ResourceType.log_group)
    written = ServiceGraph(services=(service("likes", resources=(worker,)), service("feed", "likes")))
    found = ServiceGraph(
        services=(
            service("likes-writer", "likes-table", "likes-writer", resources=(worker, logs)),
            service("likes-table", resources=(table,)),
            service("cron", "likes-writer"),
        )
    )
    merged = written.merged(found)
    assert [each.name for each in merged] == ["likes", "feed", "likes-table", "cron"]
    likes, cron = merged.service("likes"), merged.service("cron")
    assert likes is not None
    assert cron is not None
    assert (likes.depends_on, likes.resources) == (("likes-table",), (worker, logs))
    assert cron.depends_on == ("likes",)


def test_how_a_dependency_was_found_is_kept_under_the_written_names() -> None:
    worker = resource("likes-writer")
    written = ServiceGraph(services=(service("Likes", resources=(worker,)),))
    sure = Edge(caller="cron", called="likes-writer", found="environment LIKES")
    guess = Edge(caller="cron", called="likes-writer", found="security group", weak=True)
    inside = Edge(caller="likes-writer", called="Likes", found="trace")
    found = ServiceGraph(
        services=(service("likes-writer", "Likes", resources=(worker,)), service("cron", "likes-writer")),
        edges=(guess, sure, inside),
        looks=(Look(place="aws", at=NOON, services=("likes-writer", "cron")),),
    )
    merged = written.merged(found)
    assert [each.found for each in merged.reasons("cron", "Likes")] == ["environment LIKES", "security group"]
    assert not merged.guessed("cron", "Likes")
    assert merged.reasons("Likes", "Likes") == ()
    assert (merged.looks[0].services, merged.seen_at) == (("Likes", "cron"), NOON)
    only = found.model_copy(update={"edges": (guess,)})
    assert only.guessed("cron", "likes-writer")
    assert not SHOP.guessed("web", "checkout"), "what people wrote is no guess"


def test_what_is_found_in_another_case_is_the_written_one() -> None:
    merged = ServiceGraph(services=(service("Checkout", "pricing"),)).merged(
        ServiceGraph(services=(service("checkout", "orders-db"), service("web", "checkout")))
    )
    assert [(each.name, each.depends_on) for each in merged] == [
        ("Checkout", ("pricing", "orders-db")),
        ("web", ("Checkout",)),
    ]


def test_the_oldest_look_is_the_age() -> None:
    looks = tuple(Look(place=f"aws {hour}", at=NOON.replace(hour=hour)) for hour in (11, 9, 10))
    assert ServiceGraph(looks=looks).seen_at == NOON.replace(hour=9)
    assert ServiceGraph().seen_at is None


def test_of_a_large_graph_the_part_around_some_services() -> None:
    chain = ServiceGraph(
        services=tuple(service(f"s{n}", f"s{n + 1}") for n in range(20)),
        edges=tuple(Edge(caller=f"s{n}", called=f"s{n + 1}", found="trace") for n in range(20)),
    )
    assert chain.around(["s9"], 20) is chain
    near = chain.around(["s9"], 5)
    assert [each.name for each in near] == ["s7", "s8", "s9", "s10", "s11"]
    assert [edge.caller for edge in near.edges] == ["s7", "s8", "s9", "s10"]
    assert len(chain.around([], 5).services) == 5


def test_merging_with_nothing_changes_nothing() -> None:
    assert SHOP.merged(ServiceGraph()) == SHOP
    assert ServiceGraph().merged(SHOP) == SHOP

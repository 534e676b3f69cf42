"""The service graph as people read it, compared as a whole."""

from datetime import timedelta

import pytest

from runbook_bot.domain.service import Edge, Look, Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.investigation.picture import MOST_BESIDE, WIDTH, blast_radius, dated, overview, tree
from tests.investigation.town import NOW


def service(name: str, *calls: str, **more: object) -> Service:
    return Service.model_validate({"name": name, "depends_on": calls, **more})


def edge(caller: str, called: str, found: str, *, weak: bool = False) -> Edge:
    return Edge(caller=caller, called=called, found=found, weak=weak)


SHOP = ServiceGraph(
    services=(
        service("web", "checkout", group="shop"),
        service(
            "checkout",
            "pricing",
            "orders-db",
            "audit",
            owner="payments",
            group="shop",
            resources=[Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout")],
        ),
        service("pricing", "checkout", "rates", owner="pricing", group="shop"),
        service("orders-db"),
        service("audit"),
        service("batch", "orders-db"),
    ),
    edges=(
        edge("web", "checkout", "environment CHECKOUT_URL"),
        edge("checkout", "pricing", "environment PRICING_SERVICE_BASE_URL"),
        edge("checkout", "pricing", "trace"),
        edge("checkout", "orders-db", "environment DB_HOST"),
        edge("checkout", "audit", "security group", weak=True),
        edge("pricing", "checkout", "trace"),
    ),
    looks=(Look(place="aws us-east-1", at=NOW - timedelta(minutes=4)),),
)


def shown(graph: ServiceGraph, name: str) -> str:
    found = graph.service(name)
    assert found is not None
    return "\n".join(tree(graph, found))


def test_a_tree_with_how_each_edge_is_known_a_ring_and_what_is_not_in_the_graph() -> None:
    assert shown(SHOP, "checkout") == (
        """\
checkout
  owner: payments
  part of: shop
  ecs_service: checkout
depends on
├─ pricing  environment PRICING_SERVICE_BAS…
│  ├─ checkout ↑  trace
│  └─ rates  services.yaml
├─ orders-db  environment DB_HOST
└─ audit ?  security group
needed by
├─ web  environment CHECKOUT_URL
└─ pricing  trace
   └─ checkout ↑  environment PRICING_SERVI…
? a guess: nothing better is known"""
    )


def test_a_service_alone() -> None:
    alone = ServiceGraph(services=(service("alone"),))
    assert shown(alone, "alone") == (
        "alone\n  owner: not known\ndepends on nothing that is known\nneeded by nothing that is known"
    )


def test_it_fits_on_a_phone_however_much_hangs_on_it() -> None:
    many = [f"caller-{number}-with-a-very-long-name-that-goes-on" for number in range(50)]
    graph = ServiceGraph(services=(service("hub"), *(service(name, "hub", *many[:9]) for name in many)))
    lines = shown(graph, "hub").splitlines()
    assert len(lines) < 20
    assert f"└─ and {50 - MOST_BESIDE} more" in lines
    assert max(len(line) for line in shown(SHOP, "checkout").splitlines()) <= WIDTH


def test_all_services_by_what_they_are_part_of() -> None:
    assert overview(SHOP) == [
        "shop",
        "  checkout (payments) → pricing, orders-db, audit",
        "  pricing (pricing) → checkout, rates",
        "  web → checkout",
        "not part of anything",
        "  batch → orders-db",
        "  audit",
        "  orders-db",
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["orders-db"], "4 services depend on it: batch, checkout; through others pricing, web"),
        (["rates"], "3 services depend on it: pricing; through others checkout, web"),
        (["checkout", "pricing"], "1 service depends on them: web"),
        (["web"], ""),
        (["nobody"], ""),
    ],
)
def test_who_is_hit(names: list[str], expected: str) -> None:
    assert blast_radius(SHOP, names) == expected


def test_how_old_it_is() -> None:
    assert dated(SHOP, NOW) == "as seen at 2026-03-04T14:56:00Z, 4 min ago"
    assert dated(SHOP, NOW + timedelta(days=2)) == "as seen at 2026-03-04T14:56:00Z, 2 d ago"
    assert dated(SHOP, NOW - timedelta(minutes=4)) == "as seen at 2026-03-04T14:56:00Z, just now"
    assert dated(SHOP) == "as seen at 2026-03-04T14:56:00Z"
    assert dated(ServiceGraph(), NOW) == "as services.yaml says; nothing was discovered"

"""What can go wrong in the market, each with the complaint as somebody would say it."""

from datetime import timedelta

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.vocabulary import Signal
from tests.investigation.town import Effect, Town, deploy, market, minutes_ago

S = Signal


def bad_deployment(seed: int = 7) -> Town:
    """A new version of orders, two hops from the storefront that hurts loudest; search was deployed as well."""
    town, onset = market(seed), minutes_ago(22)
    later = onset + timedelta(seconds=60)
    town.changes += [deploy("orders", minutes_ago(24)), deploy("search", minutes_ago(40))]
    town.effects |= {
        ("orders-tg", S.errors): Effect(180, onset),
        ("orders-tg", S.latency): Effect(0.3, onset),
        ("cart-tg", S.errors): Effect(120, later),
        ("storefront-tg", S.errors): Effect(300, later),
    }
    town.log("/ecs/orders", "ERROR KeyError: shipping_zone in price()", onset, 5)
    town.log("/ecs/cart", "ERROR upstream orders answered 500", onset, 7)
    town.log("/ecs/storefront", "ERROR upstream cart answered 502", onset, 7)
    return town


def configuration_change(seed: int = 7) -> Town:
    town = bad_deployment(seed)
    setting = {"environment.POOL_SIZE": "2"}
    town.changes = [
        deploy("orders", minutes_ago(24), "configuration", **setting),
        deploy("storefront", minutes_ago(50)),
    ]
    return town


def connection_exhaustion(seed: int = 7) -> Town:
    town, onset = market(seed), minutes_ago(20)
    town.effects |= {
        ("orders-db", S.connections): Effect(200, minutes_ago(60), ramp=2400),
        ("orders-tg", S.errors): Effect(90, onset),
        ("orders-tg", S.latency): Effect(2, onset),
        ("storefront-tg", S.errors): Effect(60, onset),
    }
    town.log("/ecs/orders", "ERROR psycopg.OperationalError: FATAL: remaining connection slots are reserved", onset, 5)
    return town


def concurrency_limit(seed: int = 7) -> Town:
    town, onset = market(seed), minutes_ago(30)
    earlier = onset - timedelta(minutes=3)
    town.effects |= {
        ("invoices", S.throttles): Effect(120, onset),
        ("invoices", S.concurrency): Effect(40, earlier),
        ("invoices", S.requests): Effect(800, earlier),
    }
    return town


def memory_exhaustion(seed: int = 7) -> Town:
    """A slow leak; the deployment of search has nothing to do with it."""
    town, onset = market(seed), minutes_ago(12)
    town.effects |= {
        ("cart", S.memory): Effect(99, minutes_ago(100), ramp=5400),
        ("cart-tg", S.errors): Effect(50, onset),
    }
    town.changes.append(deploy("search", minutes_ago(20)))
    killed = "task abc stopped: OutOfMemoryError: Container killed due to memory usage, exit code 137"
    town.events["cart"] = [LogLine(at=minutes_ago(12 - i), text=killed) for i in range(0, 9, 3)]
    return town


def throttling(seed: int = 7) -> Town:
    town, onset = market(seed), minutes_ago(25)
    town.effects |= {
        ("sessions", S.throttles): Effect(300, onset),
        ("cart-tg", S.errors): Effect(70, onset),
        ("cart-tg", S.latency): Effect(0.5, onset),
    }
    refused = "ERROR ProvisionedThroughputExceededException: The level of configured provisioned throughput"
    town.log("/ecs/cart", refused, onset, 5)
    return town


def traffic_surge(seed: int = 7) -> Town:
    town, onset = market(seed), minutes_ago(25)
    for name in ("storefront", "cart"):
        town.effects[f"{name}-tg", S.requests] = Effect(3200, onset, ramp=120)
        town.effects[name, S.cpu] = Effect(93, onset, ramp=120)
    town.effects["storefront-tg", S.latency] = Effect(1.1, onset + timedelta(minutes=2))
    return town


def nothing(seed: int = 7) -> Town:
    """No fault; but search was deployed a while ago."""
    town = market(seed)
    town.changes.append(deploy("search", minutes_ago(20)))
    return town

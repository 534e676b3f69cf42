"""The connection to Redis that leases and deliveries share."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError

from runbook_bot.errors import SettingsError
from runbook_bot.state.config import StateSettings


def redis_client(settings: StateSettings) -> Redis | None:
    """A client that connects when it is first used; None where no Redis is configured. Close it with `aclose()`.

    Raises `SettingsError`, without the address.
    """
    if settings.redis_url is None:
        return None
    try:
        return Redis.from_url(
            settings.redis_url.get_secret_value(),
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), retries=3),
            health_check_interval=15,
        )
    except ValueError:
        raise SettingsError("state.redis_url: its options, such as ?db=0, are not understood") from None


async def reach(redis: Redis) -> None:
    """Returns once Redis answered. Raises `SettingsError`, naming the host and never the password."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        known = redis.connection_pool.connection_kwargs
        where = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', 6379)}"
        raise SettingsError(f"state.redis_url: no Redis that can be used at {where} ({error})") from error

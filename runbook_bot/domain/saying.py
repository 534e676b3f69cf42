"""How measured things are said to people: quantities with units, times in UTC, the symptom in one sentence."""

from datetime import UTC, datetime

from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.noun import utc
from runbook_bot.domain.vocabulary import Signal

_UNITS = {
    Signal.cpu: "%", Signal.memory: "%", Signal.burst_balance: "%", Signal.disk_used: "%",
    Signal.latency: " s", Signal.latency_p99: " s", Signal.duration: " s", Signal.read_latency: " s",
    Signal.write_latency: " s", Signal.replica_lag: " s", Signal.iterator_age: " s", Signal.oldest_message_age: " s",
    Signal.errors: "/min", Signal.requests: "/min", Signal.throttles: "/min", Signal.deadlocks: "/min",
    Signal.connection_errors: "/min", Signal.dead_letters: "/min", Signal.evictions: "/min",
    Signal.cache_misses: "/min", Signal.messages_deleted: "/min", Signal.consumed_capacity: "/min",
    Signal.client_errors: "/min", Signal.tls_errors: "/min", Signal.rejected: "/min", Signal.packets_dropped: "/min",
}  # fmt: skip
_BYTES = (Signal.memory_free, Signal.swap, Signal.disk_free, Signal.network_in, Signal.network_out)


def quantity(signal: Signal, value: float) -> str:
    """A value in the unit of its signal, as people say it: `4.1 s`, `212/min`, `1.2 GB`."""
    if signal in _BYTES:
        for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if abs(value) >= size:
                return f"{value / size:.3g} {unit}"
        return f"{value:.0f} B"
    unit = _UNITS.get(signal, "")
    if unit == " s" and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:,.0f}{unit}" if abs(value) >= 100 else f"{value:.3g}{unit}"


def clock(moment: float) -> str:
    """`12:04 UTC` from epoch seconds."""
    return utc(datetime.fromtimestamp(moment, UTC)).strftime("%H:%M UTC")


def symptom(found: Symptom) -> str:
    """`errors of checkout-api rose from 2/min to 212/min from 12:04 UTC`."""
    name = f"{found.signal.replace('_', ' ')} of {found.resource.name}"
    if found.moved == "steady":
        return f"{name} stayed at about {quantity(found.signal, found.baseline)}: no change in the window"
    if found.onset is None and found.baseline == found.level:
        side = "above" if found.moved == "rises" else "below"
        return f"{name} stood at about {quantity(found.signal, found.level)} all the time, {side} what it should be"
    verb = "rose" if found.moved == "rises" else "fell"
    reach = f"from {quantity(found.signal, found.baseline)} to {quantity(found.signal, found.level)}"
    since = f" from {found.onset:%H:%M} UTC" if found.onset else ""
    back = f", back to normal at {found.ended:%H:%M} UTC" if found.ended else ""
    return f"{name} {verb} {reach}{since}{back}"

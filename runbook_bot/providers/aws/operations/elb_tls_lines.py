"""Access-log lines of a network load balancer's TLS listeners, counted: handshakes, alerts, versions, who fails.

The fields are those of the service's own description of its access logs, in their order.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runbook_bot.domain.observation import Row
from runbook_bot.providers.aws.operations.elb_log_lines import percentile

_TIME, _CLIENT, _TARGET, _LASTED, _HANDSHAKE, _ALERT, _VERSION, _NAME = 2, 5, 6, 7, 8, 11, 15, 17
_FIELDS = 18
_MOST_KINDS = 2000
_MOST_TIMES = 100_000
_SHOWN = 8
_ALERTS = {
    "0": "close notify", "20": "bad record", "40": "handshake failure", "42": "bad certificate",
    "43": "unsupported certificate", "44": "certificate revoked", "45": "certificate expired",
    "46": "certificate unknown", "47": "illegal parameter", "48": "unknown authority", "49": "access denied",
    "70": "protocol version", "71": "insufficient security", "80": "internal error", "112": "unrecognized name",
}  # fmt: skip
"""What clients say is wrong, by the numbers of RFC 8446 and RFC 6066."""


@dataclass
class TlsTally:
    """What the lines of one window came to. Times in milliseconds."""

    start: datetime
    end: datetime
    lines: int = 0
    unread: int = 0
    failed: int = 0
    """Connections whose handshake came to no end."""
    versions: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    """Failed handshakes, by the client's address."""
    lasted: list[float] = field(default_factory=list)
    handshakes: list[float] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Count one line, if it is of the window."""
        told = text.split(" ")
        at = _moment(told[_TIME]) if len(told) >= _FIELDS and told[0] == "tls" else None
        if at is None:
            self.unread += 1
            return
        if not self.start <= at < self.end:
            return
        self.lines += 1
        self._took(self.lasted, told[_LASTED])
        self.targets[told[_TARGET]] += _room(self.targets, told[_TARGET])
        if told[_ALERT] not in ("-", "0"):
            self.alerts[told[_ALERT]] += 1
        if told[_HANDSHAKE] == "-":
            client = told[_CLIENT].rpartition(":")[0] or told[_CLIENT]
            self.failed += 1
            self.clients[client] += _room(self.clients, client)
            return
        self._took(self.handshakes, told[_HANDSHAKE])
        self.versions[told[_VERSION]] += 1
        self.names[told[_NAME]] += _room(self.names, told[_NAME])

    def _took(self, times: list[float], text: str) -> None:
        if text.isdecimal() and len(times) < _MOST_TIMES:
            times.append(float(text))

    def rows(self) -> list[Row]:
        """What is worth telling: the whole, then what clients complain of, versions, who fails, names and targets."""
        if not self.lines:
            return []
        return [
            self._whole(),
            *[
                Row(name=f"alert {number}, {_ALERTS.get(number, 'of another kind')}", facts={"connections": times})
                for number, times in self.alerts.most_common(_SHOWN)
            ],
            *[Row(name=f"version {each}", facts={"connections": n}) for each, n in self.versions.most_common(_SHOWN)],
            *[
                Row(name=f"client {client}", facts={"failed_handshakes": times})
                for client, times in self.clients.most_common(_SHOWN)
            ],
            *[
                Row(name=f"asked for {name}" if name != "-" else "asked for no name", facts={"connections": times})
                for name, times in self.names.most_common(_SHOWN)
            ],
            *[
                Row(name=f"target {target}" if target != "-" else "no target was reached", facts={"connections": n})
                for target, n in self.targets.most_common(_SHOWN)
            ],
        ]

    def _whole(self) -> Row:
        return Row(
            name="all connections",
            facts={
                "connections": self.lines,
                "failed_handshakes": self.failed,
                "alerts_of_clients": sum(self.alerts.values()),
                "lasted_median_ms": percentile(self.lasted, 0.5) if self.lasted else None,
                "lasted_p95_ms": percentile(self.lasted, 0.95) if self.lasted else None,
                "handshake_median_ms": percentile(self.handshakes, 0.5) if self.handshakes else None,
                "handshake_p95_ms": percentile(self.handshakes, 0.95) if self.handshakes else None,
            },
        )


def _room(counted: Counter[str], kind: str) -> int:
    """1 where one more may be counted: of endlessly many kinds the first are."""
    return int(kind in counted or len(counted) < _MOST_KINDS)


def _moment(text: str) -> datetime | None:
    """Of a time without a zone, which is UTC."""
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None

"""Access-log lines of an application load balancer, counted: statuses, slow paths, erring clients and targets.

The fields are those of the service's own description of its access logs, in their order.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from runbook_bot.analysis.templates import template
from runbook_bot.domain.observation import Row

_LINE = re.compile(
    r"^(?P<type>\S+) (?P<time>\S+) \S+ (?P<client>\S+) (?P<target>\S+) "
    r"(?P<waited>\S+) (?P<answered>\S+) \S+ (?P<status>\S+) (?P<target_status>\S+) \S+ \S+ "
    r'"(?P<method>\S+) (?P<url>\S+)[^"]*" "[^"]*"'
    r'(?: \S+ \S+ \S+ "[^"]*" "[^"]*" "[^"]*" \S+ \S+ "(?P<actions>[^"]*)" "[^"]*" "(?P<reason>[^"]*)")?'
)
_MOST_KINDS = 2000
_MOST_TIMES = 5000
"""Answer times that are kept for each path; enough for its 95th percentile."""
_MOST_TIMES_IN_ALL = 100_000
_LONG_PART = 24
_SHOWN = 8


@dataclass
class _Path:
    requests: int = 0
    errors: int = 0
    """Answers of 500 and above."""
    seconds: list[float] = field(default_factory=list)


@dataclass
class Tally:
    """What the lines of one window came to."""

    start: datetime
    end: datetime
    lines: int = 0
    unread: int = 0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the load balancer's status and the target's (`-`: it gave none)."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    paths: dict[str, _Path] = field(default_factory=dict)
    clients: Counter[str] = field(default_factory=Counter)
    """Answers of 400 and above, by the client's address."""
    client_statuses: dict[str, Counter[str]] = field(default_factory=dict)
    targets: Counter[str] = field(default_factory=Counter)
    """Answers of 500 and above, by target."""
    seconds: list[float] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Count one line, if it is of the window."""
        found = _LINE.match(text)
        at = _moment(found["time"]) if found else None
        if found is None or at is None:
            self.unread += 1
            return
        if not self.start <= at < self.end:
            return
        self.lines += 1
        status, target_status = found["status"], found["target_status"]
        self.statuses[status, target_status] += 1
        if status >= "4" and (reason := found["reason"] or "") not in ("", "-"):
            self.reasons[status, reason] += 1
        took = _seconds(found["answered"])
        self._path(f"{found['method']} {path_kind(found['url'])}", status, took)
        if status >= "4":
            client = _host(found["client"])
            if client in self.client_statuses or len(self.client_statuses) < _MOST_KINDS:
                self.clients[client] += 1
                self.client_statuses.setdefault(client, Counter())[status] += 1
        if status >= "5" and (found["target"] in self.targets or len(self.targets) < _MOST_KINDS):
            self.targets[found["target"]] += 1
        if took is not None and len(self.seconds) < _MOST_TIMES_IN_ALL:
            self.seconds.append(took)

    def _path(self, kind: str, status: str, took: float | None) -> None:
        if kind not in self.paths and len(self.paths) >= _MOST_KINDS:
            kind = "…"
        path = self.paths.setdefault(kind, _Path())
        path.requests += 1
        path.errors += status >= "5"
        if took is not None and len(path.seconds) < _MOST_TIMES:
            path.seconds.append(took)

    def rows(self) -> list[Row]:
        """What is worth telling: the whole, then statuses, reasons, slow and failing paths, targets, clients."""
        if not self.lines:
            return []
        return [
            self._whole(),
            *_status_rows(self.statuses),
            *_reason_rows(self.reasons),
            *self._path_rows(),
            *[
                Row(name=f"target {target}" if target != "-" else "no target was chosen", facts={"server_errors": n})
                for target, n in self.targets.most_common(_SHOWN)
            ],
            *[
                Row(name=f"client {client}", facts={"errors": n, "statuses": dict(self.client_statuses[client])})
                for client, n in self.clients.most_common(_SHOWN)
            ],
        ]

    def _whole(self) -> Row:
        by_class: Counter[str] = Counter()
        for (status, _), times in self.statuses.items():
            by_class[status[:1]] += times
        own = sum(n for (status, target), n in self.statuses.items() if status >= "5" and target == "-")
        return Row(
            name="all requests",
            facts={
                "requests": self.lines,
                "server_errors": by_class["5"],
                "server_errors_without_target": own,
                "client_errors": by_class["4"],
                **_times(self.seconds),
            },
        )

    def _path_rows(self) -> list[Row]:
        slow = sorted(self.paths.items(), key=lambda each: -percentile(each[1].seconds, 0.95))[:_SHOWN]
        failing = sorted(self.paths.items(), key=lambda each: -each[1].errors)[:_SHOWN]
        chosen = dict([*(each for each in failing if each[1].errors), *slow])
        return [
            Row(name=kind, facts={"requests": path.requests, "server_errors": path.errors, **_times(path.seconds)})
            for kind, path in chosen.items()
        ]


def path_kind(url: str) -> str:
    """The path without its variable parts and without its parameters: `/orders/<number>`."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:  # no address: somebody's scanner
        return "…"
    parts = [_part(each) for each in path.split("/")]
    return ("/".join(parts) or "/")[:200]


def _part(text: str) -> str:
    masked = template(text)
    return "<long>" if (len(masked) >= _LONG_PART and any(c.isdigit() for c in text)) or "@" in text else masked


def _status_rows(statuses: Counter[tuple[str, str]]) -> Iterable[Row]:
    """Errors first, then by how often."""
    ordered = sorted(statuses.items(), key=lambda each: (each[0][0] < "5", each[0][0] < "4", -each[1]))
    for (status, target), times in ordered[: 2 * _SHOWN]:
        if target == "-":
            told = "without any target's answer"
        else:
            told = "by the target" if status == target else f"the target said {target}"
        yield Row(name=f"status {status}, {told}", facts={"requests": times})


def _reason_rows(reasons: Counter[tuple[str, str]]) -> Iterable[Row]:
    for (status, reason), times in reasons.most_common(_SHOWN):
        yield Row(name=f"{reason} ({status})", facts={"requests": times})


def _times(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {
        "median_s": round(percentile(seconds, 0.5), 3),
        "p95_s": round(percentile(seconds, 0.95), 3),
        "slowest_s": round(max(seconds), 3),
    }


def percentile(seconds: list[float], share: float) -> float:
    """Nearest rank; -1 where nothing was measured."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] if seconds else -1.0


def _seconds(text: str) -> float | None:
    """None where the target gave no answer (-1)."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value >= 0 else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return None


def _host(client: str) -> str:
    """The address without its port."""
    return client.rpartition(":")[0] or client

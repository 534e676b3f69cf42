"""A small company under construction: its services, what was changed in it, and how trouble spreads in it."""

from dataclasses import dataclass, field
from typing import Any

from runbook_bot.evaluation.worlds import speech
from runbook_bot.evaluation.worlds.dice import Dice
from runbook_bot.evaluation.worlds.names import ACTORS, ENVIRONMENTS, PEOPLE, REGIONS, TRADES

Json = dict[str, Any]
"""A piece of a scenario file."""

FAILED = "HTTPCode_Target_5XX_Count"
SERVED = "HTTPCode_Target_2XX_Count"
DURATION = "TargetResponseTime"
_ANSWERED = (
    "{callee} answered 500 for <path>",
    "upstream {callee}: unexpected status 502",
    "call to {callee} failed with 503 after <ms> ms",
    "bad response from {callee}: 500 Internal Server Error",
)
_WAITED = (
    "{callee} did not answer within 2000 ms",
    "deadline exceeded while calling {callee}",
    "call to {callee} timed out after <slow> ms",
    "{callee}: read timeout (<slow> ms)",
)


@dataclass
class Town:
    """Builds the pieces of a scenario file. `strength` scales every effect: 1 is a fault in full."""

    dice: Dice
    strength: float = 1.0
    services: dict[str, Json] = field(default_factory=dict)
    changes: list[Json] = field(default_factory=list)
    effects: list[Json] = field(default_factory=list)
    logs: list[Json] = field(default_factory=list)
    happenings: dict[str, list[Json]] = field(default_factory=dict)
    """stops, unhealthy, says, reports."""
    onset: float = 0.0
    """Minutes before now at which the fault began."""

    def __post_init__(self) -> None:
        dice = self.dice
        self.trade, names = dice.word(TRADES)
        prefix = dice.any(ENVIRONMENTS)
        self.names = [prefix + name for name in (names[0], *dice.some(names[1:], len(names) - 1))]
        self.styles = {name: dice.word(speech.STYLES) for name in self.names}
        self.robot, self.role = dice.any(ACTORS)
        self.person = dice.any(PEOPLE)
        self.region = dice.any(REGIONS)
        self.onset = dice.whole(16, 34)
        self._chain: list[str] = []

    # ------------------------------------------------------------------ what there is

    def chain(self, hops: int) -> list[str]:
        """ECS services that call one another, the edge first, with two bystanders beside them."""
        names = self.names[: hops + 1]
        aside = self.names[hops + 1 : hops + 3]
        requests = self.dice.between(6000, 15000)
        for place, name in enumerate(names):
            deps = names[place + 1 : place + 2] + (aside if place == 0 else [])
            self.task(name, deps, requests=requests * 0.8**place)
        for name in aside:
            self.task(name, [], requests=self.dice.between(2000, 6000))
        self._chain = names
        self.bystander = aside[0]
        return names

    def task(self, name: str, deps: list[str], *, requests: float, **more: Any) -> Json:
        """An ECS service behind the load balancer."""
        dice = self.dice
        style = self.styles.setdefault(name, dice.word(speech.STYLES))
        resource: Json = {
            "type": "ecs_service",
            "name": name,
            "cluster": self.trade,
            "image": f"123456789012.dkr.ecr.{self.region}.amazonaws.com/{name}:{self._version()}",
            "desired": dice.whole(3, 6),
            "memory": dice.any((512, 1024, 2048)),
            "environment": {
                "LOG_LEVEL": "info",
                **{_variable(d): f"http://{d}.{self.trade}.internal:8080" for d in deps},
            },
            "vitals": {
                "RequestCount": round(requests),
                FAILED: max(2, round(requests * dice.between(0.0005, 0.003))),
                DURATION: round(dice.between(0.03, 0.2), 3),
                "CPUUtilization": round(dice.between(25, 48)),
                "MemoryUtilization": round(dice.between(38, 62)),
            },
            "lines": [
                {"text": speech.line(style, name, "INFO", text), "rate": round(dice.between(2, 5), 1)}
                for text in dice.some(speech.ORDINARY, 2)
            ]
            + [{"text": speech.line(style, name, "WARN", dice.any(speech.GRUMBLES)), "rate": 0.4}],
            **more,
        }
        return self._add(name, deps, resource)

    def function(self, name: str, deps: list[str], *, invocations: float, **more: Any) -> Json:
        resource: Json = {
            "type": "lambda_function",
            "name": name,
            "timeout": self.dice.any((15, 30, 60)),
            "environment": {"STAGE": "live"},
            "vitals": {"Invocations": round(invocations), "Duration": round(self.dice.between(120, 700))},
            **more,
        }
        return self._add(name, deps, resource)

    def database(self, name: str, engine: str = "", **more: Any) -> Json:
        engine = engine or self.dice.any(("postgres", "mysql"))
        limit = self.dice.any((200, 400, 800))
        resource: Json = {
            "type": "rds_instance",
            "name": name,
            "engine": engine,
            "version": self.dice.any(("14.11", "15.8", "16.4") if engine == "postgres" else ("8.0.36", "8.0.39")),
            "max_connections": limit,
            "storage": self.dice.any((100, 200, 500)),
            "vitals": {
                "DatabaseConnections": round(limit * self.dice.between(0.15, 0.4)),
                "CPUUtilization": round(self.dice.between(18, 42)),
            },
            **more,
        }
        return self._add(name, [], resource)

    def plain(self, kind: str, name: str, deps: list[str] | None = None, **more: Any) -> Json:
        """A table, a queue or a cache."""
        return self._add(name, deps or [], {"type": kind, "name": name, **more})

    def partner(self, name: str) -> Json:
        """Somebody else's service: a name, and nothing to measure."""
        self.services[name] = {"name": name, "owner": "external", "depends_on": [], "resources": []}
        return self.services[name]

    def needs(self, service: str, *others: str) -> None:
        """As services.yaml says it, and as the environment of a program does."""
        self.services[service]["depends_on"] += others
        for other in others:
            self.resource(service)["environment"][_variable(other)] = self._address(other)

    def _address(self, name: str) -> str:
        found = self.services[name]["resources"]
        kind = found[0]["type"] if found else ""
        return {
            "": f"https://api.{name}.example/v1",
            "ecs_service": f"http://{name}.{self.trade}.internal:8080",
            "rds_instance": f"{name}.aaaaaaaaaa.{self.region}.rds.amazonaws.com",
            "elasticache_cluster": f"{name}.x1y2z3.0001.cache.amazonaws.com:6379",
            "sqs_queue": f"https://sqs.{self.region}.amazonaws.com/123456789012/{name}",
        }.get(kind, name)

    def resource(self, service: str) -> Json:
        found: Json = self.services[service]["resources"][0]
        return found

    def level(self, service: str, metric: str) -> float:
        return float(self.resource(service)["vitals"][metric])

    def _add(self, name: str, deps: list[str], resource: Json) -> Json:
        owner = self.dice.any(("core", "growth", "data", "platform", "ops"))
        self.services[name] = {"name": name, "owner": owner, "depends_on": list(deps), "resources": [resource]}
        return self.services[name]

    def _version(self) -> str:
        dice = self.dice
        return dice.any(
            (f"{dice.whole(1, 9)}.{dice.whole(0, 40)}.{dice.whole(0, 9)}", f"build-{dice.whole(200, 4000)}")
        )

    # ------------------------------------------------------------------ what people do

    def ago(self, minutes: float) -> str:
        return f"-{round(minutes * 60)}s"

    def deploy(self, service: str, minutes: float, *, by: str = "", **changed: Any) -> None:
        """A new image unless something else is said to be changed."""
        image = self.resource(service)["image"].rpartition(":")[0]
        what = changed or {"image": f"{image}:{self._version()}"}
        by = by or self.robot
        self.changes.append({"kind": "deploy", "at": self.ago(minutes), "actor": by, "service": service, **what})

    def call(self, service: str, operation: str, minutes: float, parameters: Json, *, by: str = "") -> None:
        """Any other call of the API by somebody."""
        self.changes.append(
            {
                "kind": "call",
                "at": self.ago(minutes),
                "actor": by or self.person,
                "service": service,
                "operation": operation,
                "parameters": parameters,
            }
        )

    def everyday(self) -> None:
        """The deployments of the last weeks that have nothing to do with anything."""
        tasks = [n for n, s in self.services.items() if s["resources"] and s["resources"][0]["type"] == "ecs_service"]
        for name in tasks:
            self.deploy(name, 1440 * self.dice.between(2, 20))

    # ------------------------------------------------------------------ what goes wrong

    def moves(self, of: str, metric: str, **how: Any) -> None:
        """An effect as it is, without regard to the strength."""
        self.effects.append({"of": of, "metric": metric, **how})

    def fails(self, service: str, share: float, **when: Any) -> None:
        """A share of a task's requests fails."""
        share = min(0.95, share * self.strength)
        group = f"target_group:{service}"
        self.moves(group, FAILED, add=round(self.level(service, "RequestCount") * share, 1), **when)
        self.moves(group, SERVED, times=round(1 - share, 3), **when)

    def slows(self, service: str, factor: float, **when: Any) -> None:
        self.moves(f"target_group:{service}", DURATION, times=round(1 + (factor - 1) * self.strength, 2), **when)

    def says(self, service: str, *texts: str, rate: float = 18, level: str = "ERROR", **when: Any) -> None:
        """Log lines of a task in its own style, or a function's."""
        resource = self.resource(service)
        if resource["type"] == "lambda_function":
            texts = tuple(speech.function_error(text) for text in texts)
        elif resource["type"] == "ecs_service":
            texts = tuple(speech.line(self.styles[service], service, level, text) for text in texts)
        self.writes(f"{resource['type']}:{service}", *texts, rate=rate, **when)

    def writes(self, of: str, *texts: str, rate: float = 18, **when: Any) -> None:
        """Log lines as they are."""
        rate = max(2.0, rate * self.strength)
        self.logs.append({"of": of, "lines": [{"text": text, "rate": round(rate, 1)} for text in texts], **when})

    def happens(self, kind: str, **what: Any) -> None:
        self.happenings.setdefault(kind, []).append(what)

    def spreads(self, origin: str, share: float, slower: float = 1.0, delay: float = 0.0, **when: Any) -> None:
        """To the callers of a service, hop by hop: less and later each time, and they blame whom they called."""
        callee = origin
        for hop, caller in enumerate(self._callers(origin), 1):
            begin = {**when, "delay": f"{round(delay + 15 * hop)}s"}
            share, slower = share * 0.7, 1 + (slower - 1) * 0.6
            if share > 0.01:
                self.fails(caller, share, **begin)
                self.says(caller, self.dice.word(_ANSWERED).format(callee=callee), rate=12, **begin)
            if slower > 1.15:
                self.slows(caller, slower, **begin)
                if share <= 0.01:
                    self.says(caller, self.dice.word(_WAITED).format(callee=callee), rate=8, **begin)
            callee = caller

    def _callers(self, origin: str) -> list[str]:
        """From the nearest up to the edge."""
        found: list[str] = []
        callee = origin
        while above := next(
            (n for n, s in self.services.items() if callee in s["depends_on"] and n not in found), None
        ):
            found.append(above)
            callee = above
        return [n for n in found if self.resource(n)["type"] == "ecs_service"]


def _variable(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_URL"

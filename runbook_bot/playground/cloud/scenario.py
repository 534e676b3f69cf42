"""A scenario: one YAML file that says what a small world is made of, what goes wrong in it, and what the answer is."""

import difflib
import json
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.errors import ScenarioError
from runbook_bot.playground.cloud.inventory import Resource, Strict, key_of
from runbook_bot.playground.cloud.plot import Alarm, Blip, Change, Fault, Recovery, Silence
from runbook_bot.playground.cloud.span import Span
from runbook_bot.playground.cloud.vitals import vitals_of

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"


class Service(Strict):
    name: str
    owner: str
    slack_channel: str | None = None
    tier: str | None = None
    repository: str | None = None
    depends_on: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()


class Repair(Strict):
    """The change that mends it, as the product's operation and the parameters that matter."""

    operation: str
    parameters: dict[str, str | int | bool] = Field(default_factory=dict)


class Expected(Strict):
    """What a good investigation finds."""

    failure_mode: FailureMode
    service: str | None
    resource: str | None
    """`type:name`, e.g. `ecs_service:checkout-api`."""
    repair: Repair | None
    other_repairs: tuple[Repair, ...] = ()
    """What mends it just as well."""
    alarm: str
    """The alarm to investigate."""
    question: str
    """What a person types."""


class Scenario(Strict):
    name: str
    title: str
    seed: int
    region: str = "us-east-1"
    cluster: str = "shop"
    load_balancer: str = "shop-public"
    history: Span = Field(default="3h", validate_default=True)
    """How much of the past is loaded before the cloud is ready."""
    whole_day: bool = True
    """The rest of the last day is filled in while the cloud runs."""
    peak_hour: float = Field(default=19.0, ge=0, lt=24)
    """UTC hour of the day with the most traffic."""
    peak_in: Span | None = None
    """The peak relative to the start of the cloud, in place of an hour."""
    swing: float = Field(default=0.25, ge=0, lt=1)
    """How far traffic swings around its mean within a day."""
    actors: dict[str, str] = Field(default_factory=dict)
    """Who changes things → the role they assume; an actor who is not listed is an IAM user."""
    services: tuple[Service, ...] = Field(min_length=1)
    changes: tuple[Change, ...] = ()
    alarms: tuple[Alarm, ...] = Field(min_length=1)
    blips: tuple[Blip, ...] = ()
    silences: tuple[Silence, ...] = ()
    fault: Fault | None = None
    recovers_when: tuple[Recovery, ...] = ()
    deny: tuple[str, ...] = ()
    """IAM actions that are refused, e.g. `rds:DescribeEvents` or `cloudtrail:*`."""
    expected: Expected

    @classmethod
    def load(cls, path_or_name: str | Path) -> "Scenario":
        """By the name of a shipped scenario or the path of a file. Raises `ScenarioError`."""
        path = _find(path_or_name)
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{path}: cannot be read: {error}") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
            raise ScenarioError(f"{path}, {at}: {error.problem}") from error
        except yaml.YAMLError as error:
            raise ScenarioError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(raw, dict):
            raise ScenarioError(f"{path}: a scenario is a mapping with title, services, alarms …")
        try:
            return cls.model_validate({"name": path.stem, **raw})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "scenario"
            more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
            raise ScenarioError(f"{path}: {key}: {first['msg'].removeprefix('Value error, ')}{more}") from error

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        known = {key for service in self.services for each in service.resources for key in key_of(each)}
        named = [(f"blips.{i}.of", blip.of) for i, blip in enumerate(self.blips)]
        named += [(f"silences.{i}.of", silence.of) for i, silence in enumerate(self.silences)]
        named += [(f"changes.{i}", change.of) for i, change in enumerate(self.changes) if change.of]
        named += [(f"alarms.{i}.of", alarm.of) for i, alarm in enumerate(self.alarms)]
        named += [(f"recovers_when.{i}", each.of) for i, each in enumerate(self.recovers_when)]
        if self.fault:
            named += [(f"fault.effects.{i}.of", effect.of) for i, effect in enumerate(self.fault.effects)]
            named += [(f"fault.logs.{i}.of", lines.of) for i, lines in enumerate(self.fault.logs)]
            named += [(f"fault.stops.{i}.of", stop.of) for i, stop in enumerate(self.fault.stops)]
            named += [(f"fault.unhealthy.{i}.of", ill.of) for i, ill in enumerate(self.fault.unhealthy)]
            named += [(f"fault.says.{i}.of", said.of) for i, said in enumerate(self.fault.says)]
            named += [(f"fault.reports.{i}.of", told.of) for i, told in enumerate(self.fault.reports)]
        if self.expected.resource:
            named.append(("expected.resource", self.expected.resource))
        for where, key in named:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise ValueError(f"{where} names {key}, which no service has{hint}")
        if self.expected.alarm not in {alarm.name for alarm in self.alarms}:
            raise ValueError(f"expected.alarm names {self.expected.alarm}, which is not among the alarms")
        if self.expected.service and self.expected.service not in {service.name for service in self.services}:
            raise ValueError(f"expected.service names {self.expected.service}, which is not among the services")
        return self

    @model_validator(mode="after")
    def _moves_metrics_that_exist(self) -> Self:
        known: dict[str, list[str]] = {}
        for vital in (v for service in self.services for each in service.resources for v in vitals_of(each, "", "")):
            known.setdefault(vital.on, []).append(vital.name)
        moved = [(f"alarms.{i}", alarm.of, alarm.metric) for i, alarm in enumerate(self.alarms)]
        moved += [(f"blips.{i}", blip.of, blip.metric) for i, blip in enumerate(self.blips)]
        moved += [(f"silences.{i}", silence.of, silence.metric) for i, silence in enumerate(self.silences)]
        if self.fault:
            moved += [(f"fault.effects.{i}", each.of, each.metric) for i, each in enumerate(self.fault.effects)]
        for where, resource, metric in moved:
            if metric not in known.get(resource, ()):
                has = ", ".join(known.get(resource, ()))
                raise ValueError(f"{where}.metric: {resource} has no metric {metric}; it has {has}")
        return self

    def services_yaml(self) -> str:
        """The text of a `services.yaml` for this world."""
        return yaml.safe_dump({"services": [_entry(each) for each in self.services]}, sort_keys=False)

    def expected_json(self) -> str:
        return json.dumps(self.expected.model_dump(mode="json"), ensure_ascii=False)


def names() -> list[str]:
    """The shipped scenarios, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _find(path_or_name: str | Path) -> Path:
    text = str(path_or_name)
    if isinstance(path_or_name, Path) or text.endswith((".yaml", ".yml")) or "/" in text:
        return Path(path_or_name)
    if text not in names():
        close = difflib.get_close_matches(text, names(), 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names())}"
        raise ScenarioError(f"no scenario is called {text!r}; {hint}")
    return FOLDER / f"{text}.yaml"


def _entry(service: Service) -> dict[str, object]:
    entry: dict[str, object] = {"name": service.name, "owner": service.owner}
    for field in ("slack_channel", "tier", "repository"):
        if getattr(service, field):
            entry[field] = getattr(service, field)
    if service.depends_on:
        entry["depends_on"] = list(service.depends_on)
    entry["resources"] = [listed for each in service.resources for listed in each.listed()]
    return entry

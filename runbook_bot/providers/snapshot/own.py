"""Our own layout of a snapshot, for incidents that people want to keep.

    snapshot.yaml   text: what was reported · service, at, now (ISO 8601) · services: as in services.yaml · alarms
    metrics.csv     time,resource,signal,value[,unit]      resource `ecs_service:prod/checkout-api`, signal `errors`
    logs.ndjson     {"time": …, "resource": …, "text": …}  one a line
    events.ndjson   the same, for what the platform told
    changes.json    [{"at": …, "kind": "deployment", "summary": …, "resource": …, "before": {…}, "after": {…}, …}]
    facts.json      {"ecs_service:prod/checkout-api": {"desired_count": 4}}

Only snapshot.yaml has to be there. A resource is written as its key; it has to be one of a service's resources.
"""

import csv
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Alarm, Change
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.providers.snapshot.snapshot import Draft

HEAD = "snapshot.yaml"
_KEYS = ("text", "service", "at", "now", "services", "alarms")


def fits(folder: Path) -> bool:
    return (folder / HEAD).is_file()


def read(folder: Path, draft: Draft) -> None:
    """Raises `ValueError` naming file and line or key."""
    said = yaml.safe_load((folder / HEAD).read_text("utf-8"))
    if not isinstance(said, dict) or not said.get("text"):
        raise ValueError(f"{HEAD} has to have `text`, what was reported")
    if unknown := [key for key in said if key not in _KEYS]:
        raise ValueError(f"{HEAD}: {unknown[0]!r} is no key; there are {', '.join(_KEYS)}")
    draft.text = str(said["text"])
    draft.service = str(said["service"]) if said.get("service") else None
    draft.at = _time(said["at"]) if said.get("at") else None
    draft.now = _time(said["now"]) if said.get("now") else None
    known: dict[str, Resource] = {}
    for each in said.get("services") or []:
        service = Service.model_validate(each)
        draft.has(service.name, *service.resources, calls=service.depends_on)
        known |= {resource.key: resource for resource in service.resources}
    draft.alarms += [Alarm.model_validate(each) for each in said.get("alarms") or []]
    _metrics(folder / "metrics.csv", known, draft)
    _texts(folder / "logs.ndjson", known, draft.log)
    _texts(folder / "events.ndjson", known, draft.tell)
    for each in _json(folder / "changes.json", []):
        resource = _known(known, each.pop("resource"), "changes.json") if each.get("resource") else None
        draft.changes.append(Change.model_validate({**each, "resource": resource}))
    for key, facts in _json(folder / "facts.json", {}).items():
        draft.know(_known(known, key, "facts.json"), facts)


def _time(value: object) -> datetime:
    return utc(value if isinstance(value, datetime) else datetime.fromisoformat(str(value)))


def _known(known: dict[str, Resource], key: str, where: str) -> Resource:
    if key not in known:
        raise ValueError(f"{where}: {key!r} is no resource of a service in {HEAD}")
    return known[key]


def _metrics(file: Path, known: dict[str, Resource], draft: Draft) -> None:
    if not file.is_file():
        return
    with file.open(encoding="utf-8", newline="") as rows:
        for number, row in enumerate(csv.DictReader(rows), 2):
            where = f"metrics.csv:{number}"
            try:
                signal = Signal(row["signal"])
                at, value = _time(row["time"]), float(row["value"])
            except (KeyError, TypeError, ValueError) as problem:
                raise ValueError(f"{where}: {problem}") from None
            resource = _known(known, row["resource"], where)
            draft.measure(resource, signal, at, value, row["signal"], row.get("unit") or "")


def _texts(file: Path, known: dict[str, Resource], add: Callable[[Resource, datetime, str], None]) -> None:
    for number, row in _rows(file):
        where = f"{file.name}:{number}"
        try:
            line = json.loads(row)
            at, text, key = _time(line["time"]), str(line["text"]), str(line["resource"])
        except (KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"{where}: {problem}") from None
        add(_known(known, key, where), at, text)


def _rows(file: Path) -> Iterable[tuple[int, str]]:
    if file.is_file():
        with file.open(encoding="utf-8") as rows:
            yield from ((number, row) for number, row in enumerate(rows, 1) if row.strip())


def _json(file: Path, absent: Any) -> Any:
    """A list or a mapping, as `absent` is."""
    try:
        told = json.loads(file.read_text("utf-8")) if file.is_file() else absent
    except ValueError as problem:
        raise ValueError(f"{file.name}: {problem}") from None
    if not isinstance(told, type(absent)):
        raise ValueError(f"{file.name} has to hold a {'list' if isinstance(absent, list) else 'mapping'}")
    return told

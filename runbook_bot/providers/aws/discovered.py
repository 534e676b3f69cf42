"""What discovery found, before it is a graph: things, the names others call them by, and leads to what they call."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R

Tags = Mapping[str, str]
TagsByArn = Mapping[str, Tags]

SERVICE_TAGS = ("service", "servicename", "app.kubernetes.io/name", "component")
APPLICATION_TAGS = ("app", "application", "applicationname", "project")
OWNER_TAGS = ("owner", "team", "ownedby", "squad")
STACK_TAG = "aws:cloudformation:stack-name"
RUNNING = frozenset({R.ecs_service, R.lambda_function, R.ec2_instance, R.autoscaling_group})


@dataclass(frozen=True)
class Lead:
    """A hint that something is called."""

    to: str
    """An ARN, a host, an address, a URL or a plain name, as it was read; never shown."""
    found: str
    """How it was come by, for people: `event source`, `secret DB_PASSWORD`."""
    weak: bool = False


@dataclass(frozen=True)
class Labels:
    """What its tags say of it."""

    owner: str | None = None
    application: str | None = None
    """What it is a part of: its name, where nothing else that runs says the same."""
    group: str | None = None


@dataclass(frozen=True)
class Found:
    """One thing that runs, keeps data or passes messages on."""

    name: str
    resources: tuple[Resource, ...]
    labels: Labels = Labels()
    handles: frozenset[str] = frozenset()
    """Lower-case ARNs, hosts, addresses and URLs that others reach it by, beside its name."""
    leads: tuple[Lead, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Raw values, compared with handles and never shown."""
    firewall: frozenset[str] = frozenset()
    """Ids of the security groups it is in."""
    role: str = ""
    """ARN of the role that its code runs as."""
    only_called: bool = False
    """Of no interest where nobody calls it: one of very many buckets or topics."""
    place: str = ""

    @property
    def runs(self) -> bool:
        return any(each.type in RUNNING for each in self.resources)


def tags_of(listed: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as AWS lists them, by name."""
    return {str(tag.get(key)): str(tag.get(value, "")) for tag in listed or []}


def found(
    type: R,
    name: str,
    tags: Tags,
    *handles: Any,
    leads: tuple[Lead, ...] = (),
    firewall: frozenset[str] = frozenset(),
    only_called: bool = False,
) -> Found:
    """One resource as what was found; what is empty among the handles is left out."""
    return Found(
        name=service_name(tags, name),
        resources=(Resource(type=type, name=name),),
        labels=labels(tags),
        handles=handles_of(handles),
        leads=leads,
        firewall=firewall,
        only_called=only_called,
    )


def handles_of(texts: Iterable[Any]) -> frozenset[str]:
    return frozenset(str(text).lower() for text in texts if text)


def labels(tags: Tags, group: str = "") -> Labels:
    """`group` where the tags say none."""
    application = _tagged(tags, APPLICATION_TAGS)
    return Labels(
        owner=_tagged(tags, OWNER_TAGS),
        application=None if _tagged(tags, SERVICE_TAGS) else application,
        group=application or tags.get(STACK_TAG) or group or None,
    )


def service_name(tags: Tags, fallback: str) -> str:
    return _tagged(tags, SERVICE_TAGS) or fallback


def _tagged(tags: Tags, keys: Iterable[str]) -> str | None:
    plain = {_bare(key): value.strip() for key, value in tags.items()}
    return next((plain[_bare(key)] for key in keys if plain.get(_bare(key))), None)


def _bare(key: str) -> str:
    """`ServiceName`, `service-name` and `service_name` are one."""
    return re.sub(r"[\s_-]", "", key.lower())

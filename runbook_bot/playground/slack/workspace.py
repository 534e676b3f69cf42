"""The workspace the loopback Slack starts with: people, channels, approver group, and the app as its manifest says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from runbook_bot.errors import PlaygroundError


@dataclass(frozen=True)
class Person:
    """A member of the workspace; with a `team` of their own, someone from another company."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a5568"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Room:
    """A channel and who is in it; `shared` marks one shared with another company."""

    id: str
    name: str
    members: tuple[str, ...]
    topic: str = ""
    private: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Group:
    """A user group, such as the one that may approve."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Workspace:
    """Everything the loopback Slack knows when it starts.

    `scopes`, `events` and `shortcuts` are None when no manifest was given: then every call is allowed,
    every event is delivered and every shortcut exists.
    """

    people: tuple[Person, ...]
    rooms: tuple[Room, ...]
    groups: tuple[Group, ...]
    bot: str
    bot_id: str = "B0RUNBOOK"
    app_id: str = "A0RUNBOOK"
    team_id: str = "T0ACME"
    team_name: str = "Acme"
    domain: str = "acme"
    commands: Mapping[str, str] = field(default_factory=lambda: {"/runbook": ""})
    scopes: frozenset[str] | None = None
    events: frozenset[str] | None = None
    shortcuts: Mapping[str, str] | None = None
    note: str = ""
    bot_token: str = "xoxb-loopback-bot"  # noqa: S105 - opens nothing but this server on loopback
    app_token: str = "xapp-loopback-app"  # noqa: S105 - likewise

    @classmethod
    def demo(cls, manifest: Path | None = None, note: str = "") -> "Workspace":
        """Acme: Rosa on call, Amir and Bea who may approve, Gil a guest, Ben a bystander, Dora who has left."""
        everyone = ("U0ROSA", "U0AMIR", "U0BEA", "U0GIL", "U0BEN")
        acme = cls(
            people=(
                Person("U0ROSA", "rosa", "Rosa Lind", "On-call engineer", "c05621"),
                Person("U0AMIR", "amir", "Amir Haddad", "Site reliability engineer", "2b6cb0"),
                Person("U0BEA", "bea", "Bea Novak", "Site reliability lead", "276749"),
                Person("U0GIL", "gil", "Gil Ortega", "Contractor", "6b46c1", is_restricted=True),
                Person("U0BEN", "ben", "Ben Okafor", "Product manager", "97266d"),
                Person("U0DORA", "dora", "Dora Weiss", "Former engineer", "718096", deleted=True),
                Person("U0RUNBOOK", "runbook", "Runbook", "Incident investigator", "1f2430", is_bot=True),
            ),
            rooms=(
                Room("C0INCIDENTS", "incidents", (*everyone, "U0RUNBOOK"), "Production incidents. One thread each."),
                Room("C0GENERAL", "general", everyone, "Company-wide announcements"),
            ),
            groups=(Group("S0APPROVERS", "sre-approvers", "SRE approvers", ("U0AMIR", "U0BEA")),),
            bot="U0RUNBOOK",
            commands={"/runbook": "investigate [what] | status | stop | help"},
            note=note,
        )
        return acme if manifest is None else acme.with_manifest(manifest)

    def with_manifest(self, path: Path) -> "Workspace":
        """This workspace with the app's commands, scopes, events and shortcuts taken from its manifest.yml."""
        try:
            manifest: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            features = manifest.get("features") or {}
            settings = manifest.get("settings") or {}
            bot_scopes = manifest["oauth_config"]["scopes"]["bot"]
            commands = {one["command"]: one.get("usage_hint", "") for one in features.get("slash_commands") or []}
            shortcuts = {one["callback_id"]: one["type"] for one in features.get("shortcuts") or []}
            events = (settings.get("event_subscriptions") or {}).get("bot_events") or []
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise PlaygroundError(f"cannot read the Slack manifest {path}: {what}") from error
        return replace(
            self,
            commands=commands or self.commands,
            scopes=frozenset(bot_scopes),
            events=frozenset(events),
            shortcuts=shortcuts,
        )

    def person(self, user_id: str) -> Person | None:
        """The member with this id."""
        return next((one for one in self.people if one.id == user_id), None)

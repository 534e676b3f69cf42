"""The whole configuration, put together from the rooms' own models, config.yaml and the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from runbook_bot.approval.policy import SafetySettings
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.errors import SettingsError
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.knowledge.config import KnowledgeSettings
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.prometheus.config import PrometheusSettings
from runbook_bot.settings.complaint import complain
from runbook_bot.settings.document import Document, Location, dotted, read
from runbook_bot.settings.environment import overlay, substitute
from runbook_bot.settings.services import read_services
from runbook_bot.slack.config import SlackSettings
from runbook_bot.state.config import StateSettings

CONFIG_FILE = "config.yaml"
SERVICES_FILE = "services.yaml"
EXAMPLE = "http://127.0.0.1:8080"
HOME = ".runbook"
"""Where `RUNBOOK_HOME` is when nobody says otherwise, below the current directory."""

TOKENS: dict[Location, tuple[str, str, str]] = {
    ("incident", "slack", "bot_token"): ("SLACK_BOT_TOKEN", "xoxb-", "the bot token, from OAuth & Permissions"),
    ("incident", "slack", "app_token"): (
        "SLACK_APP_TOKEN",
        "xapp-",
        "the app-level token, from Basic Information, with connections:write",
    ),
}
"""Where each token is kept, the variable people set, how it begins, and where Slack shows it."""


class Section(BaseModel):
    """A part of config.yaml: frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProviderSettings(Section):
    """The systems that are asked, a key per vendor."""

    aws: AwsSettings = Field(default_factory=AwsSettings)


class ObservabilitySettings(Section):
    """Where more is measured, a key per system."""

    prometheus: PrometheusSettings = Field(default_factory=PrometheusSettings)


class IncidentSettings(Section):
    """Where incidents come from and where they are worked on."""

    slack: SlackSettings = Field(default_factory=SlackSettings)


class Configuration(Section):
    """What may stand in config.yaml."""

    providers: ProviderSettings = Field(default_factory=ProviderSettings)
    incident: IncidentSettings = Field(default_factory=IncidentSettings)
    observability: ObservabilitySettings = Field(default_factory=ObservabilitySettings)
    knowledge: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    safety: SafetySettings = Field(default_factory=SafetySettings)
    agent: AgentSettings = Field(default_factory=AgentSettings)
    state: StateSettings = Field(default_factory=StateSettings)


class Settings(Configuration):
    """The configuration with the places and services around it."""

    home: Path
    """Absolute: config.yaml, services.yaml, runbooks/, chroma/, scratchpad/ and audit/ are in it."""
    services: ServiceGraph = ServiceGraph()
    """What services.yaml says; discovery is merged into it later."""
    slack_api_url: str | None = None
    """Base of Slack's Web API where it is not Slack's own (`SLACK_API_URL`)."""

    @classmethod
    def load(cls, home: Path, environ: Mapping[str, str]) -> Self:
        """From the files in `home` and the environment. Raises `SettingsError` naming file and key."""
        home = home.expanduser().absolute()
        return cls.assembled(read(home / CONFIG_FILE), home, environ)

    @classmethod
    def assembled(cls, document: Document, home: Path, environ: Mapping[str, str]) -> Self:
        """The settings that a config.yaml with that content would give."""
        configuration = configure(document, environ)
        parts = {name: getattr(configuration, name) for name in Configuration.model_fields}
        return cls(
            **parts,
            home=home,
            services=read_services(home / SERVICES_FILE),
            slack_api_url=_address("SLACK_API_URL", environ),
        )


def home_from(environ: Mapping[str, str]) -> Path:
    """`RUNBOOK_HOME`, or `.runbook` below the current directory."""
    return Path(environ.get("RUNBOOK_HOME") or HOME)


def configure(document: Document, environ: Mapping[str, str]) -> Configuration:
    """The validated content of config.yaml, with `${VARIABLES}` filled in and the environment laid over it."""
    if document.value is not None and not isinstance(document.value, dict):
        raise SettingsError(f"{document.path} must hold keys and values at its top, such as `agent:`")
    variables: dict[Location, str] = {}
    filled = substitute(document, environ, variables)
    filled = overlay(filled, environ, variables)
    try:
        configuration = Configuration.model_validate(filled)
    except ValidationError as error:
        raise complain(error, Configuration, document, variables) from None
    _right_kind(configuration, document, variables)
    return configuration


def _right_kind(configuration: Configuration, document: Document, variables: Mapping[Location, str]) -> None:
    """Refuses a token of another kind; says which variable or key holds it, never the token."""
    for location, (_, prefix, origin) in TOKENS.items():
        held: object = configuration
        for part in location:
            held = getattr(held, str(part))
        if not isinstance(held, SecretStr) or held.get_secret_value().startswith(prefix):
            continue
        value = held.get_secret_value()
        other = next((v for v, p, _ in TOKENS.values() if value.startswith(p)), "")
        hint = f"; what is there is a {value[:4]} token, which belongs in {other}" if other else ""
        name = variables.get(location) or f"{document.where(location)}: {dotted(location)}"
        raise SettingsError(f"{name} must begin with {prefix} ({origin}){hint}")


def _address(variable: str, environ: Mapping[str, str]) -> str | None:
    address = environ.get(variable, "").strip()
    if address and not _of_the_web(address):
        raise SettingsError(f"{variable} must be an address that begins with http:// or https://, such as {EXAMPLE}")
    return address or None


def _of_the_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False

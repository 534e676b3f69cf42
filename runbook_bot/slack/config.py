"""What the desk needs to be told: the two tokens of the Slack app."""

from pydantic import BaseModel, ConfigDict, SecretStr


class SlackSettings(BaseModel):
    """`incident.slack` of the configuration. Tokens may come as `${SLACK_BOT_TOKEN}` and `${SLACK_APP_TOKEN}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    bot_token: SecretStr | None = None
    """`xoxb-…`, from OAuth & Permissions."""
    app_token: SecretStr | None = None
    """`xapp-…`, app-level, with `connections:write`."""

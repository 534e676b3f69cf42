"""Where the bot is installed and who it is there; learnt from `auth.test`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workspace:
    team: str
    bot_user: str
    bot_id: str = ""
    url: str = ""
    """`https://acme.slack.com/`; empty where Slack did not say."""

    def message(self, channel: str, ts: str, thread: str | None = None) -> str | None:
        """A permalink, made without asking Slack."""
        if not self.url:
            return None
        link = f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link

    def document(self, id: str) -> str | None:
        """The link of a canvas or file."""
        return f"{self.url.rstrip('/')}/docs/{self.team}/{id}" if self.url and id else None

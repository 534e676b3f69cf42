"""Every method of the Web API that the loopback Slack knows, by name."""

from runbook_bot.playground.slack.api import (
    assistant,
    bookmarks,
    canvases,
    chat,
    conversations,
    files,
    identity,
    people,
    reactions,
    streams,
    validation,
    views,
)
from runbook_bot.playground.slack.api.method import Method

METHODS: dict[str, Method] = {
    **identity.METHODS,
    **chat.METHODS,
    **streams.METHODS,
    **conversations.METHODS,
    **people.METHODS,
    **views.METHODS,
    **reactions.METHODS,
    **bookmarks.METHODS,
    **files.METHODS,
    **canvases.METHODS,
    **assistant.METHODS,
    **validation.METHODS,
}

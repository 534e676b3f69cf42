"""App Home is drawn anew each time somebody opens it; what they may not see is not on it."""

from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from runbook_bot.slack.desk import Desk
from runbook_bot.slack.refusals import Refused
from runbook_bot.slack.sight import visible, waiting
from runbook_bot.slack.views.home import ROWS, home

log = structlog.get_logger(__name__)


def register(app: AsyncApp, desk: Desk) -> None:
    async def opened(event: dict[str, Any]) -> None:
        if event.get("tab") == "home" and event.get("user"):
            await publish(desk, str(event["user"]))

    async def group_changed(event: dict[str, Any]) -> None:
        subteam = event.get("subteam")
        id = event.get("subteam_id") or (subteam.get("id") if isinstance(subteam, dict) else "")
        desk.directory.forget_group(str(id))

    app.event("app_home_opened")(opened)
    app.event("subteam_members_changed")(group_changed)
    app.event("subteam_updated")(group_changed)


async def publish(desk: Desk, user: str) -> None:
    unfinished = await visible(desk, user, "", await desk.cases.unfinished(lambda _: True))
    recent = await desk.cases.newest(lambda case: case.verdict is not None, top=ROWS)
    view = home(
        [case for case in unfinished if case.status == "open"],
        waiting(unfinished),
        await visible(desk, user, "", recent),
        desk.workspace,
    )
    try:
        await desk.outbox.call("views.publish", desk.outbox.client.views_publish, user_id=user, view=view)
    except Refused as refused:
        log.warning("home was not published", user=user, error=refused.word)

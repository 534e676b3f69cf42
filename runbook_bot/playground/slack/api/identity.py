"""Who the app is: auth.test, apps.connections.open, team.info, bots.info."""

from runbook_bot.playground.slack.api.method import SPECIAL, TIER_3, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json


def _auth_test(desk: Desk, _: Arguments) -> Json:
    space = desk.state.workspace
    return {
        "url": f"{desk.base_url}/",
        "team": space.team_name,
        "user": desk.state.people[space.bot].name,
        "team_id": space.team_id,
        "user_id": space.bot,
        "bot_id": space.bot_id,
        "is_enterprise_install": False,
    }


def _open_connection(desk: Desk, _: Arguments) -> Json:
    return {"url": f"{desk.base_url.replace('http', 'ws', 1)}/socket?ticket={desk.socket.new_ticket()}"}


def _team_info(desk: Desk, _: Arguments) -> Json:
    space = desk.state.workspace
    return {"team": {"id": space.team_id, "name": space.team_name, "domain": space.domain, "email_domain": ""}}


def _bot_info(desk: Desk, args: Arguments) -> Json:
    space = desk.state.workspace
    if args.text("bot", space.bot_id) != space.bot_id:
        raise Refused("bot_not_found")
    name = desk.state.people[space.bot].name
    return {
        "bot": {
            "id": space.bot_id,
            "deleted": False,
            "name": name,
            "updated": 0,
            "app_id": space.app_id,
            "user_id": space.bot,
            "icons": {},
        }
    }


METHODS = {
    "auth.test": Method(_auth_test, SPECIAL),
    # Slack's page says tier 3, its Java client tier 1; the milder one, since nobody should loop on it anyway.
    "apps.connections.open": Method(_open_connection, TIER_3, by="app"),
    "team.info": Method(_team_info, TIER_3, ("team:read",)),
    "bots.info": Method(_bot_info, TIER_3, ("users:read",)),
}

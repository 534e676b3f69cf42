"""People and groups: users.*, usergroups.*."""

from runbook_bot.playground.slack.api.method import TIER_2, TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.api.paging import page
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.workspace import Group, Person


def user_object(desk: Desk, person: Person) -> Json:
    """A user as users.info answers."""
    space = desk.state.workspace
    profile = {
        "title": person.title,
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "status_text": "",
        "status_emoji": "",
        "team": person.team or space.team_id,
    }
    return {
        "id": person.id,
        "team_id": person.team or space.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": person.color,
        "real_name": person.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_stranger": bool(person.team),
        "updated": 0,
    }


def _info(desk: Desk, args: Arguments) -> Json:
    person = desk.state.people.get(args.need("user", "user_not_found"))
    if person is None:
        raise Refused("user_not_found")
    return {"user": user_object(desk, person)}


def _list(desk: Desk, args: Arguments) -> Json:
    people, following = page(list(desk.state.people.values()), args, 100)
    return {"members": [user_object(desk, one) for one in people], "cache_ts": 0, **following}


def _group_object(desk: Desk, group: Group, with_users: bool) -> Json:
    users = desk.state.groups[group.id]
    answer: Json = {
        "id": group.id,
        "team_id": desk.state.workspace.team_id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": 0,
        "user_count": len(users),
    }
    return {**answer, "users": users} if with_users else answer


def _groups(desk: Desk, args: Arguments) -> Json:
    with_users = args.flag("include_users")
    return {"usergroups": [_group_object(desk, one, with_users) for one in desk.state.workspace.groups]}


def _group_users(desk: Desk, args: Arguments) -> Json:
    users = desk.state.groups.get(args.need("usergroup"))
    if users is None:
        raise Refused("no_such_subteam")
    return {"users": users}


METHODS = {
    "users.info": Method(_info, TIER_4, ("users:read",)),
    "users.list": Method(_list, TIER_2, ("users:read",)),
    "usergroups.list": Method(_groups, TIER_2, ("usergroups:read",)),
    "usergroups.users.list": Method(_group_users, TIER_2, ("usergroups:read",)),
}

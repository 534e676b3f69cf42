"""What a person does: writes, types a command, reacts, opens the Home tab. Clicks and forms are in `interactions`."""

import copy
from collections.abc import Awaitable, Callable

from runbook_bot.playground.slack import payloads
from runbook_bot.playground.slack.api.chat import delete_message
from runbook_bot.playground.slack.api.method import Arguments, Desk, Refused
from runbook_bot.playground.slack.api.reactions import react, unreact
from runbook_bot.playground.slack.interactions import Interactions
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import LONGEST_TEXT, post_as_bot, post_ephemeral, read_content
from runbook_bot.playground.slack.refusal import CannotAct, person_who_acts, place
from runbook_bot.playground.slack.socket import Outcome
from runbook_bot.playground.slack.state import Channel
from runbook_bot.playground.slack.typed_text import mentions, rich_text_of

COMMAND_FAILURES = {"timeout": "operation_timeout", "connection_failed": "dispatch_failed"}


class Acting:
    """Carries out the bodies of `POST /act`, each by its `do` word."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        forms = Interactions(desk)
        self._deeds: dict[str, Callable[[str, Arguments], Awaitable[Json]]] = {
            "message": self._message,
            "command": self._command,
            "reaction": self._reaction,
            "home": self._home,
            "edit": self._edit,
            "delete": self._delete,
            "stop": self._stop,
            "group": self._group,
            "click": forms.click,
            "submit": forms.submit,
            "close": forms.close,
            "shortcut": forms.shortcut,
        }

    async def act(self, body: Json) -> Json:
        """Do it as the person; `{"ok": false, "error": …}` in one clear line when a person could not."""
        deed = self._deeds.get(str(body.get("do")))
        if deed is None:
            return {"ok": False, "error": f"unknown deed {body.get('do')!r}; known: {', '.join(sorted(self._deeds))}"}
        args = Arguments(body)
        try:
            user = person_who_acts(self.desk, args)
            return {"ok": True, **await deed(user, args)}
        except CannotAct as error:
            return {"ok": False, "error": str(error)}
        except Refused as refusal:
            return {"ok": False, "error": refusal.word, **refusal.more}

    async def _message(self, user: str, args: Arguments) -> Json:
        desk = self.desk
        channel = place(desk, args, user, to_write=True)
        text = args.text("text")
        if not text.strip():
            raise CannotAct("a message needs some text")
        if len(text) > LONGEST_TEXT:
            raise CannotAct(f"a message has at most {LONGEST_TEXT} characters")
        message: Json = {
            "type": "message",
            "client_msg_id": payloads.new_message_id(),
            "user": user,
            "team": desk.state.people[user].team or desk.state.workspace.team_id,
            "text": text,
            "blocks": [rich_text_of(text, payloads.new_message_id()[:5])],
        }
        if channel.shared:
            message |= {"user_team": message["team"], "source_team": message["team"]}
        if thread_ts := args.text("thread_ts"):
            parent = channel.messages.get(thread_ts)
            if parent is None:
                raise CannotAct(f"there is no message {thread_ts} in this channel")
            message |= {"thread_ts": parent.get("thread_ts", thread_ts), "parent_user_id": parent.get("user", "")}
        message["ts"] = desk.state.next_ts()
        desk.state.put_message(channel, message)
        desk.events.message(channel, message)
        if desk.state.workspace.bot in mentions(text) and not channel.is_im:
            desk.events.app_mention(channel, message)
        return {"channel": channel.id, "ts": message["ts"]}

    async def _command(self, user: str, args: Arguments) -> Json:
        desk = self.desk
        channel = place(desk, args, user, to_write=True)
        command = args.text("command") or next(iter(desk.state.workspace.commands))
        if command not in desk.state.workspace.commands:
            raise CannotAct(f"{command} is not a valid command")
        payload = payloads.slash_command(desk, channel, user, command, args.text("text"))
        outcome = await desk.socket.deliver("slash_commands", payload, answers=True)
        if not outcome.acked:
            error = f'{command} failed with the error "{COMMAND_FAILURES[outcome.reason]}"'
            desk.state.bulletin.publish("notice", {"user": user, "channel": channel.id, "text": error})
            raise CannotAct(error)
        return self._show_answer(channel, user, outcome)

    def _show_answer(self, channel: Channel, user: str, outcome: Outcome) -> Json:
        """The ack's own message, if it carries one: ephemeral unless it says in_channel."""
        given = {key: one for key, one in outcome.payload.items() if key in {"text", "blocks", "attachments"} and one}
        if not given:
            return {}
        content = {"text": "", **read_content(self.desk, Arguments(given))}
        if outcome.payload.get("response_type") == "in_channel":
            return {"ts": post_as_bot(self.desk, channel, content)["ts"]}
        return {"ts": post_ephemeral(self.desk, channel, user, content)["ts"]}

    async def _reaction(self, user: str, args: Arguments) -> Json:
        """Add a reaction, or take it away when the person has made it already, as a click on it does."""
        channel = place(self.desk, args, user)
        message = self._stored(channel, args.text("message_ts"))
        name = args.need("name").strip(":")
        added = react(self.desk.state, channel, message, name, user)
        if not added:
            unreact(self.desk.state, channel, message, name, user)
        event = {
            "type": "reaction_added" if added else "reaction_removed",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
            "item_user": message.get("user", ""),
            "event_ts": self.desk.state.next_ts(),
        }
        self.desk.events.emit(event, None, channel)
        return {}

    async def _home(self, user: str, args: Arguments) -> Json:
        channel = self.desk.state.open_im(user)
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel.id,
            "tab": args.text("tab", "home"),
            "event_ts": self.desk.state.next_ts(),
        }
        if view := self.desk.state.homes.get(user):
            event["view"] = view
        self.desk.events.emit(event)
        return {"channel": channel.id}

    async def _edit(self, user: str, args: Arguments) -> Json:
        channel = place(self.desk, args, user, to_write=True)
        message = self._own(channel, user, args)
        previous = copy.deepcopy(message)
        text = args.need("text")
        message["text"] = text
        message["blocks"] = [rich_text_of(text, payloads.new_message_id()[:5])]
        message["edited"] = {"user": user, "ts": self.desk.state.next_ts()}
        self.desk.state.put_message(channel, message)
        self.desk.events.message_changed(channel, message, previous)
        return {}

    async def _delete(self, user: str, args: Arguments) -> Json:
        channel = place(self.desk, args, user, to_write=True)
        delete_message(self.desk, channel, self._own(channel, user, args))
        return {}

    async def _stop(self, user: str, args: Arguments) -> Json:
        """The Stop button that Slack shows while an agent session is processing."""
        channel = place(self.desk, args, user)
        thread_ts = args.need("thread_ts")
        if self.desk.state.sessions.get((channel.id, thread_ts), {}).get("status") != "processing":
            raise CannotAct("nothing is being processed in this thread")
        streams = [key for key in self.desk.state.streams if key[0] == channel.id]
        stopped = [ts for _, ts in streams if channel.messages.get(ts, {}).get("thread_ts") == thread_ts]
        for ts in stopped:
            del self.desk.state.streams[channel.id, ts]
        event = {
            "type": "agent_session_stopped",
            "channel": channel.id,
            "thread_ts": thread_ts,
            "user": user,
            "streaming_message_ts": stopped,
            "event_ts": self.desk.state.next_ts(),
        }
        self.desk.events.emit(event, None, channel)
        return {}

    async def _group(self, user: str, args: Arguments) -> Json:
        """Change who is in a user group, as an administrator of the workspace would."""
        del user
        group = args.need("usergroup")
        before = self.desk.state.groups.get(group)
        if before is None:
            raise CannotAct(f"there is no user group {group}")
        after = args.words("users")
        self.desk.state.groups[group] = after
        added, removed = [one for one in after if one not in before], [one for one in before if one not in after]
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group,
            "team_id": self.desk.state.workspace.team_id,
            "date_previous_update": 0,
            "date_update": 0,
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
            "event_ts": self.desk.state.next_ts(),
        }
        self.desk.events.emit(event)
        return {}

    @staticmethod
    def _stored(channel: Channel, ts: str) -> Json:
        message = channel.messages.get(ts)
        if message is None:
            raise CannotAct(f"there is no message {ts} in this channel")
        return message

    def _own(self, channel: Channel, user: str, args: Arguments) -> Json:
        message = self._stored(channel, args.text("message_ts"))
        if message.get("user") != user:
            raise CannotAct("only its author can change a message")
        return message

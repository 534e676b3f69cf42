"""Messages as plain text, so that a person (or a test) can read a thread without a page."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel, State
from runbook_bot.playground.slack.typed_text import unescape

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>")
_TASK_MARK = {"complete": "x", "in_progress": "~", "error": "!", "pending": " "}


class PlainText:
    """Renders what the loopback Slack stores; names of people and channels come from its state."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._blocks: dict[str, Callable[[Json], Iterator[str]]] = {
            "section": self._section,
            "header": lambda block: iter([f"# {self.text(block['text'])}"]),
            "context": lambda block: iter(["  ".join(filter(None, map(self.element, block["elements"])))]),
            "actions": lambda block: iter([" ".join(map(self.element, block["elements"]))]),
            "context_actions": lambda block: iter([" ".join(map(self.element, block["elements"]))]),
            "divider": lambda _: iter(["----"]),
            "image": lambda block: iter([f"[image: {block['alt_text']}]"]),
            "markdown": lambda block: iter(unescape(block["text"]).splitlines()),
            "rich_text": self._rich_text,
            "table": self._table,
            "data_table": self._table,
            "data_visualization": self._chart,
            "plan": self._plan,
            "task_card": self._task,
            "container": self._container,
            "card": self._card,
            "carousel": lambda block: (line for card in block["elements"] for line in self._card(card)),
            "input": lambda block: iter([f"{self.text(block['label'])}: {self.element(block['element'])}"]),
            "alert": lambda block: iter([f"! {self.text(block['text'])}"]),
            "video": lambda block: iter([f"[video: {block['alt_text']}]"]),
        }

    # messages

    def channel(self, channel: Channel) -> str:
        """A channel with its threads, oldest first."""
        top = [one for one in channel.messages.values() if one.get("thread_ts", one["ts"]) == one["ts"]]
        title = f"#{channel.name}" if channel.name else f"direct message with {self._user(channel.user or '')}"
        return "\n".join([title, "", *(self.thread(channel, one["ts"]) for one in top)])

    def thread(self, channel: Channel, ts: str) -> str:
        """A message and its replies, the replies indented."""
        lines: list[str] = []
        for message in channel.messages.values():
            if message["ts"] == ts:
                lines += self.message(message)
            elif message.get("thread_ts") == ts:
                lines += [f"    {line}" if line else "" for line in self.message(message)]
        return "\n".join(lines) + "\n"

    def message(self, message: Json) -> list[str]:
        """One message: who and when, then its blocks, or its text when it has none."""
        when = datetime.fromtimestamp(float(message["ts"]), UTC).strftime("%H:%M:%S")
        marks = [
            f"only {self._user(message['ephemeral_to'])} sees this" if "ephemeral_to" in message else "",
            "also in the channel" if message.get("subtype") == "thread_broadcast" else "",
            "edited" if "edited" in message else "",
        ]
        remark = ", ".join(filter(None, marks))
        name = message.get("username") or self._user(message.get("user", ""))
        lines = [f"[{when}] {name}{f' ({remark})' if remark else ''}"]
        body = self.blocks(message.get("blocks") or [])
        if not body:
            body = self.markup(message.get("text", "")).splitlines()
        for one in message.get("attachments", []):
            body += self.blocks(one.get("blocks") or []) or [self.markup(one.get("text") or one.get("fallback") or "")]
        body += [
            f"[file: {one['title']}{': ' + one['alt_txt'] if one['alt_txt'] else ''}]"
            for one in message.get("files", [])
        ]
        reactions = [f":{one['name']}: {len(one['users'])}" for one in message.get("reactions", [])]
        return [*lines, *(f"  {line}" for line in body), *([f"  {' '.join(reactions)}"] if reactions else []), ""]

    def blocks(self, blocks: list[Json]) -> list[str]:
        """Blocks as lines."""
        return [line for block in blocks for line in self._block(block)]

    def _block(self, block: Json) -> Iterator[str]:
        render = self._blocks.get(block["type"])
        return iter([f"[{block['type']}]"]) if render is None else render(block)

    # words

    def _user(self, user_id: str) -> str:
        person = self.state.people.get(user_id)
        return person.real_name if person else user_id

    def markup(self, text: str) -> str:
        """mrkdwn without its tokens: names instead of ids, labels with their links, dates as their fallback."""
        text = _DATE.sub(r"\1", text)
        text = re.sub(r"<@([A-Z0-9]+)(?:\|[^>]*)?>", lambda match: f"@{self._user(match.group(1))}", text)
        text = re.sub(r"<#([A-Z0-9]+)(?:\|[^>]*)?>", lambda match: f"#{self._channel(match.group(1))}", text)
        text = re.sub(r"<!subteam\^([A-Z0-9]+)(?:\|[^>]*)?>", lambda match: f"@{self._group(match.group(1))}", text)
        text = _LINK.sub(
            lambda match: f"{match.group(2)} ({match.group(1)})" if match.group(2) else match.group(1), text
        )
        return unescape(re.sub(r"<!(here|channel|everyone)(?:\|[^>]*)?>", r"@\1", text))

    def _channel(self, channel_id: str) -> str:
        channel = self.state.channels.get(channel_id)
        return channel.name if channel else channel_id

    def _group(self, group_id: str) -> str:
        return next((one.handle for one in self.state.workspace.groups if one.id == group_id), group_id)

    def text(self, value: Json) -> str:
        """A text object."""
        text = str(value.get("text", ""))
        return self.markup(text) if value.get("type") == "mrkdwn" else text

    def element(self, element: Json) -> str:
        """An element as a person would name it: [ Button ], [ Select: a | b ], plain words."""
        kind = element["type"]
        if kind in {"plain_text", "mrkdwn"}:
            return self.text(element)
        if kind == "image":
            return f"[image: {element['alt_text']}]"
        if kind == "feedback_buttons":
            return (
                f"[ {self.text(element['positive_button']['text'])} | {self.text(element['negative_button']['text'])} ]"
            )
        if "options" in element:
            return f"[ {' | '.join(self.text(one['text']) for one in element['options'])} ]"
        if "text" in element:
            return f"[ {self.text(element['text'])} ]"
        return f"[ {self.text(element['placeholder']) if 'placeholder' in element else kind} ]"

    # blocks

    def _section(self, block: Json) -> Iterator[str]:
        if block.get("text"):
            yield from self.text(block["text"]).splitlines()
        for field in block.get("fields") or []:
            yield "  " + self.text(field).replace("\n", " ")
        if block.get("accessory"):
            yield self.element(block["accessory"])

    def _rich_text(self, block: Json) -> Iterator[str]:
        for part in block["elements"]:
            kind = part["type"]
            if kind == "rich_text_list":
                for number, item in enumerate(part["elements"], 1):
                    yield f"{'- ' if part['style'] == 'bullet' else f'{number}. '}{self._inline(item)}"
                continue
            prefix = {"rich_text_preformatted": "    ", "rich_text_quote": "> "}.get(kind, "")
            yield from (prefix + line for line in self._inline(part).splitlines())

    def _inline(self, part: Json) -> str:
        return "".join(self._piece(one) for one in part["elements"])

    def _piece(self, one: Json) -> str:
        kind = one["type"]
        if kind == "link":
            return f"{one['text']} ({one['url']})" if one.get("text") else str(one["url"])
        if kind == "user":
            return f"@{self._user(one['user_id'])}"
        if kind == "channel":
            return f"#{self._channel(one['channel_id'])}"
        if kind == "usergroup":
            return f"@{self._group(one['usergroup_id'])}"
        words = {"text": "text", "emoji": "name", "broadcast": "range", "color": "value", "date": "fallback"}
        word = str(one.get(words.get(kind, "text"), ""))
        return f":{word}:" if kind == "emoji" else f"@{word}" if kind == "broadcast" else word

    def _cell(self, cell: Json) -> str:
        if cell["type"] == "rich_text":
            return " ".join(self._rich_text(cell))
        return str(cell.get("text", cell.get("value", "")))

    def _table(self, block: Json) -> Iterator[str]:
        if block.get("caption"):
            yield block["caption"]
        rows = [[self._cell(cell) for cell in row] for row in block["rows"]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()

    def _chart(self, block: Json) -> Iterator[str]:
        chart = block["chart"]
        yield f"[{chart['type']} chart: {block['title']}]"
        for one in chart.get("series", []):
            points = ", ".join(f"{point['label']} {point['value']:g}" for point in one["data"])
            yield f"  {one['name']}: {points}"
        for one in chart.get("segments", []):
            yield f"  {one['label']}: {one['value']:g}"

    def _plan(self, block: Json) -> Iterator[str]:
        yield block["title"]
        for task in block.get("tasks") or []:
            yield from self._task(task)

    def _task(self, task: Json) -> Iterator[str]:
        yield f"  [{_TASK_MARK.get(task.get('status', ''), ' ')}] {task.get('title', '')}"
        for name in ("details", "output"):
            if task.get(name):
                yield from (f"      {line}" for line in self._rich_text(task[name]))

    def _container(self, block: Json) -> Iterator[str]:
        title = self.text(block["title"]) if block.get("title") else " ".join(self._rich_text(block["rich_text_title"]))
        yield f"{'>' if block.get('is_collapsible') else '='} {title}"
        if block.get("subtitle"):
            yield f"  {self.text(block['subtitle'])}"
        yield from (f"  {line}" for line in self.blocks(block["child_blocks"]))

    def _card(self, block: Json) -> Iterator[str]:
        for name in ("title", "subtitle", "body"):
            if block.get(name):
                yield self.text(block[name])
        if block.get("actions"):
            yield " ".join(map(self.element, block["actions"]))

"""One of each: blocks, elements, attachments and files, as messages of a channel."""

from tests.playground_page.scene import BOT, ROSA, Json, bot, button, chart, mrkdwn, rich, section, words

STYLED: Json = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "bold", "style": {"bold": True}},
                {"type": "text", "text": " italic", "style": {"italic": True}},
                {"type": "text", "text": " struck", "style": {"strike": True}},
                {"type": "text", "text": " code", "style": {"code": True}},
                {"type": "text", "text": " "},
                {"type": "link", "url": "https://example.com/a", "text": "a link"},
                {"type": "user", "user_id": ROSA},
                {"type": "usergroup", "usergroup_id": "S0APPROVE"},
                {"type": "channel", "channel_id": "C0DEPLOYS"},
                {"type": "broadcast", "range": "here"},
                {"type": "emoji", "name": "fire"},
                {"type": "date", "timestamp": 1795516860, "format": "{date_num} {time_secs}", "fallback": "then"},
                {"type": "color", "value": "#a30200"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first point"}]}],
        },
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "offset": 2,
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "third step"}]}],
        },
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted line"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "ERROR <b>not bold</b> *not bold*"}]},
    ],
}

DATA_TABLE: Json = {
    "type": "data_table",
    "caption": "Errors by task",
    "page_size": 3,
    "row_header_column_index": 0,
    "rows": [
        [{"type": "raw_text", "text": "Task"}, {"type": "raw_text", "text": "Errors"}],
        *(
            [
                {"type": "raw_text", "text": f"task-{n}"},
                {"type": "raw_number", "value": n * 7 % 10, "text": str(n * 7 % 10)},
            ]
            for n in range(1, 8)
        ),
    ],
}

OPTIONS = [{"text": words("One hour"), "value": "1h"}, {"text": words("One day"), "value": "1d"}]

MESSAGES = [
    bot(
        0,
        "Layout",
        [
            {"type": "header", "text": words("A header :bar_chart:")},
            section(
                "A section with *bold*, _italic_, ~struck~, `code` and <https://example.com|a link>\n"
                "```\npre *as is*\n```\n&gt; a quote"
            ),
            {
                "type": "section",
                "fields": [mrkdwn("*Left*\n1"), mrkdwn("*Right*\n2")],
                "accessory": button("Accessory", "accessory"),
            },
            {"type": "divider"},
            {"type": "image", "title": words("From a file"), "alt_text": "p99 rises", "slack_file": {"id": "F0CHART"}},
            {"type": "image", "alt_text": "an outside picture", "image_url": "https://outside.example/x.png"},
            {"type": "context", "elements": [mrkdwn("context *text*"), words("plain :lock:")]},
            STYLED,
            {"type": "markdown", "text": "## Markdown\n\n- one\n- **two**\n\n| a | b |\n|---|--:|\n| 1 | 2 |"},
            {
                "type": "table",
                "column_settings": [{}, {"align": "right"}],
                "rows": [
                    [{"type": "raw_text", "text": "Name"}, {"type": "raw_text", "text": "Value"}],
                    [{"type": "raw_text", "text": "p99"}, rich({"type": "text", "text": "4.1 s"})],
                ],
            },
        ],
    ),
    bot(10, "Charts", [chart("line"), chart("bar", "Bars"), chart("area", "Area"), chart("pie", "Share of errors")]),
    bot(
        20,
        "Agents' blocks",
        [
            {"type": "task_card", "task_id": "solo", "title": "A task alone", "status": "in_progress"},
            {
                "type": "container",
                "title": words("Evidence"),
                "is_collapsible": True,
                "default_collapsed": True,
                "child_blocks": [
                    section("folded evidence"),
                    {"type": "actions", "block_id": "inside", "elements": [button("Inside", "inside_button")]},
                ],
            },
            {
                "type": "card",
                "title": words("A card"),
                "subtitle": mrkdwn("its subtitle"),
                "body": mrkdwn("its *body*"),
                "actions": [button("Take it", "card_button")],
            },
            {
                "type": "carousel",
                "elements": [
                    {"type": "card", "title": words(f"Runbook {n}"), "body": mrkdwn("steps")} for n in range(1, 5)
                ],
            },
            {
                "type": "context_actions",
                "elements": [
                    {
                        "type": "feedback_buttons",
                        "action_id": "feedback",
                        "positive_button": {"text": words("Good"), "value": "good"},
                        "negative_button": {"text": words("Bad"), "value": "bad"},
                    },
                    {"type": "icon_button", "icon": "trash", "action_id": "remove", "text": words("Remove")},
                ],
            },
            DATA_TABLE,
            {"type": "hologram", "block_id": "h"},
        ],
    ),
    bot(
        30,
        "Elements",
        [
            {
                "type": "actions",
                "block_id": "elements",
                "elements": [
                    button("Plain", "plain"),
                    button("Primary", "primary", style="primary"),
                    button("Danger", "danger", style="danger"),
                    button("Link", "link", url="https://example.com/"),
                    {
                        "type": "static_select",
                        "action_id": "select",
                        "placeholder": words("How long?"),
                        "options": OPTIONS,
                    },
                    {"type": "users_select", "action_id": "user", "placeholder": words("Who?")},
                    {"type": "datepicker", "action_id": "date", "initial_date": "2026-11-24"},
                    {"type": "timepicker", "action_id": "time", "initial_time": "10:41"},
                    button("Hidden from Rosa", "hidden", visible_to_user_ids=["U0AMIR"]),
                ],
            },
            {
                "type": "actions",
                "block_id": "choices",
                "elements": [
                    {"type": "radio_buttons", "action_id": "radio", "options": OPTIONS},
                    {"type": "checkboxes", "action_id": "checks", "options": OPTIONS},
                ],
            },
        ],
        attachments=[
            {"color": "#a30200", "blocks": [section("attached *block*")]},
            {
                "color": "good",
                "title": "Old style",
                "title_link": "https://example.com/old",
                "text": "with text",
                "fields": [{"title": "Field", "value": "value"}],
            },
        ],
        files=[
            {"id": "F0CHART"},
            {"id": "F0LOG", "name": "log.txt", "mimetype": "text/plain", "title": "The log", "url": "/files/F0LOG"},
        ],
    ),
    {
        "type": "message",
        "ts": "1795516841.000100",
        "user": ROSA,
        "text": f"To <#C0DEPLOYS>, <!here> and <@{BOT}>: see :tada: :unknown_one:",
    },
]

# The kinds of the reference's table, each of which must be drawn.
KINDS = [
    "section",
    "header",
    "divider",
    "image",
    "context",
    "actions",
    "rich_text",
    "markdown",
    "table",
    "data_visualization",
    "task_card",
    "container",
    "card",
    "carousel",
    "context_actions",
    "data_table",
]

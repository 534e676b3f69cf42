"""Rich text: sections, lists, quotes and preformatted blocks, in which nothing is parsed as markup."""

from runbook_bot.playground.slack.blockkit.composition import BLOCK_ID
from runbook_bot.playground.slack.blockkit.rules import Rule, boolean, by_type, integer, list_of, one_of, shape, string

_STYLE = shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_STYLED: dict[str, Rule] = {"style": _STYLE}

_INLINE: dict[str, Rule] = {
    "text": shape({"text": string(shortest=1)}, _STYLED, type="text"),
    "link": shape({"url": string(shortest=1)}, {"text": string(), "unsafe": boolean, **_STYLED}, type="link"),
    "emoji": shape(
        {"name": string(255, 1)}, {"unicode": string(255), "skin_tone": integer(1, 6), **_STYLED}, type="emoji"
    ),
    "user": shape({"user_id": string(255, 1)}, _STYLED, type="user"),
    "usergroup": shape({"usergroup_id": string(255, 1)}, _STYLED, type="usergroup"),
    "channel": shape({"channel_id": string(255, 1)}, _STYLED, type="channel"),
    "team": shape({"team_id": string(255, 1)}, _STYLED, type="team"),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, _STYLED, type="broadcast"),
    "color": shape({"value": string(255, 1)}, _STYLED, type="color"),
    "date": shape(
        {"timestamp": integer(0), "format": string(255, 1)},
        {"url": string(), "fallback": string(), **_STYLED},
        type="date",
    ),
}
_CONTENT = list_of(by_type(_INLINE), shortest=0)
_SECTION = shape({"elements": _CONTENT}, type="rich_text_section")

_ELEMENTS: dict[str, Rule] = {
    "rich_text_section": _SECTION,
    "rich_text_quote": shape({"elements": _CONTENT}, {"border": integer(0, 1)}, type="rich_text_quote"),
    "rich_text_preformatted": shape(
        {"elements": list_of(by_type({kind: _INLINE[kind] for kind in ("text", "link")}), shortest=0)},
        {"border": integer(0, 1), "language": string(255)},
        type="rich_text_preformatted",
    ),
    "rich_text_list": shape(
        {"elements": list_of(by_type({"rich_text_section": _SECTION})), "style": one_of("bullet", "ordered")},
        {"indent": integer(0, 8), "offset": integer(0), "border": integer(0, 1)},
        type="rich_text_list",
    ),
}

RICH_TEXT = shape({"elements": list_of(by_type(_ELEMENTS))}, {"block_id": BLOCK_ID}, type="rich_text")

"""Two configurations side by side: which fields differ, and what kind of change that is."""

from collections.abc import Iterable, Mapping

from runbook_bot.domain.observation import ChangeKind
from runbook_bot.providers.aws.secrecy import shown_pair

Fields = dict[str, str]
"""A configuration, flat: `image`, `environment.POOL_SIZE`, `memory`. Raw values; never shown as they are."""

_VALUE_LIMIT = 300
_CODE = ("image", "code_sha256")


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Fields, Fields]:
    """Only the fields that differ, as they may be shown; a field that one side lacks is left out on that side."""
    old: Fields = {}
    new: Fields = {}
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) == after.get(name):
            continue
        first, second = shown_pair(name.rpartition(".")[2], before.get(name), after.get(name))
        if first is not None:
            old[name] = first[:_VALUE_LIMIT]
        if second is not None:
            new[name] = second[:_VALUE_LIMIT]
    return old, new


def kind_of(fields: Iterable[str]) -> ChangeKind:
    """A change that leaves the code alone is a configuration change; one that moves it is a deployment."""
    names = list(fields)
    moved = any(name in _CODE or name.endswith(tuple(f".{code}" for code in _CODE)) for name in names)
    if moved or not names:
        return "deployment"
    return "scaling" if set(names) == {"desired_count"} else "configuration"


def _brief(name: str, side: Mapping[str, str]) -> str:
    """An image without its registry; a long value cut."""
    value = side.get(name, "(unset)")
    short = value.rpartition("/")[2] if name.endswith("image") else value
    return short if len(short) <= 80 else short[:79] + "…"


def told(before: Mapping[str, str], after: Mapping[str, str], limit: int = 4) -> str:
    """The difference in words: `image 2.4.0 → 2.4.1, environment.POOL_SIZE 20 → 5`."""
    names = list(dict.fromkeys((*before, *after)))
    parts = [f"{name} {_brief(name, before)} → {_brief(name, after)}" for name in names[:limit]]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(parts) + more

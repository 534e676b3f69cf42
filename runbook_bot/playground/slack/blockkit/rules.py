"""The grammar in which Slack's Block Kit limits are written down: rules for strings, lists, choices and shapes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Findings:
    """What is wrong with a payload, one line each, in Slack's words and with Slack's JSON pointer."""

    lines: list[str] = field(default_factory=list)

    def note(self, at: str, what: str) -> None:
        """Record one fault at a JSON pointer such as `/blocks/0/text`."""
        self.lines.append(f"{what} [json-pointer:{at}]")


Rule = Callable[[object, str, Findings], None]


def string(longest: int | None = None, shortest: int = 0) -> Rule:
    """A JSON string between `shortest` and `longest` characters."""

    def check(value: object, at: str, findings: Findings) -> None:
        if not isinstance(value, str):
            findings.note(at, "must be a string")
        elif len(value) < shortest:
            findings.note(at, f"must be more than {shortest - 1} characters")
        elif longest is not None and len(value) > longest:
            findings.note(at, f"must be less than {longest + 1} characters")

    return check


def boolean(value: object, at: str, findings: Findings) -> None:
    """True or false, and not the words."""
    if not isinstance(value, bool):
        findings.note(at, "must be a boolean")


def integer(lowest: int | None = None, highest: int | None = None) -> Rule:
    """A whole number within bounds."""

    def check(value: object, at: str, findings: Findings) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            findings.note(at, "must be an integer")
        elif lowest is not None and value < lowest:
            findings.note(at, f"must be at least {lowest}")
        elif highest is not None and value > highest:
            findings.note(at, f"must be at most {highest}")

    return check


def one_of(*words: str) -> Rule:
    """One of a few fixed words."""

    def check(value: object, at: str, findings: Findings) -> None:
        if value not in words:
            findings.note(at, f"must be a valid enum value: {', '.join(words)}")

    return check


def list_of(item: Rule, longest: int | None = None, shortest: int = 1) -> Rule:
    """A list whose items all keep one rule."""

    def check(value: object, at: str, findings: Findings) -> None:
        if not isinstance(value, list):
            findings.note(at, "must be an array")
            return
        if len(value) < shortest:
            findings.note(at, f"no fewer than {shortest} items allowed")
        if longest is not None and len(value) > longest:
            findings.note(at, f"no more than {longest} items allowed")
        for index, one in enumerate(value):
            item(one, f"{at}/{index}", findings)

    return check


def shape(
    required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None, also: Iterable[Rule] = (), **fixed: str
) -> Rule:
    """An object with these fields and no others; `also` are rules about several fields together."""
    known = {**required, **(optional or {})}
    further = tuple(also)

    def check(value: object, at: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.note(at, "must be an object")
            return
        for name in required:
            if value.get(name) is None:
                findings.note(at, f"missing required field: {name}")
        for name, one in value.items():
            if name in fixed:
                if one != fixed[name]:
                    findings.note(f"{at}/{name}", f"must be {fixed[name]}")
            elif name not in known:
                findings.note(at, f"invalid additional property: {name}")
            elif one is not None:
                known[name](one, f"{at}/{name}", findings)
        for rule in further:
            rule(value, at, findings)

    return check


def by_type(kinds: Mapping[str, Rule]) -> Rule:
    """An object whose `type` says which of several rules holds."""

    def check(value: object, at: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.note(at, "must be an object")
        elif "type" not in value:
            findings.note(at, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            findings.note(f"{at}/type", f"unsupported type: {value['type']}")
        else:
            kinds[value["type"]](value, at, findings)

    return check


def exactly_one(*names: str) -> Rule:
    """Exactly one of several fields is given."""

    def check(value: object, at: str, findings: Findings) -> None:
        given = [name for name in names if isinstance(value, dict) and value.get(name) is not None]
        if len(given) != 1:
            findings.note(at, f"exactly one of these fields is required: {', '.join(names)}")

    return check


def at_least_one(*names: str) -> Rule:
    """At least one of several fields is given."""

    def check(value: object, at: str, findings: Findings) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            findings.note(at, f"at least one of these fields is required: {', '.join(names)}")

    return check

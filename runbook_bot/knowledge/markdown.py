"""Markdown, as far as runbooks need it: the head of the file, its sections, and the steps in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runbook_bot.knowledge.document import Problem

LARGEST_HEAD = 16_384
_MOST_STEPS = 20
_LONGEST_STEP = 400
_REMEDY = re.compile(
    r"\b(steps?|mitigat\w*|remed\w*|resol\w*|fix\w*|repair\w*|recover\w*|procedures?|solutions?|workarounds?"
    r"|roll(ing)?[ -]?back|what to do|actions?|treatment)\b",
    re.IGNORECASE,
)
_NOT_REMEDY = re.compile(
    r"\b(check\w*|diagnos\w*|verif\w*|symptoms?|impact|prevent\w*|afterwards|follow[ -]?up|action items?)\b", re.I
)
_NUMBERED = re.compile(r"^(?:step\s*)?\d+\s*[.:)–-]\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """What stands under one heading, without the sections below it. Lines are counted from 0, the end is exclusive."""

    level: int
    path: tuple[str, ...]
    """The headings above it and its own; () is the text before the first one."""
    start: int
    end: int

    @property
    def heading(self) -> str:
        return self.path[-1] if self.path else ""


def head(text: str, file: str) -> tuple[dict[object, object], dict[str, int], int, list[Problem]]:
    """The front matter: what it says, the line of each key, how many lines it takes, and what is wrong with it."""
    if not text.startswith("---\n"):
        return {}, {}, 0, []
    found = re.search(r"^(---|\.\.\.)[ \t]*$", text[4 : LARGEST_HEAD + 4], re.MULTILINE)
    if not found:
        if re.match(r"---\n[A-Za-z_]+:", text):
            return {}, {}, 0, [Problem(file, 1, f"the head has no closing --- within {LARGEST_HEAD // 1024} KB")]
        return {}, {}, 0, []
    raw = text[4 : 4 + found.start()]
    lines = {key: at for at, line in enumerate(raw.split("\n"), 2) for key in re.findall(r"^([\w-]+)\s*:", line)}
    height = raw.count("\n") + 2
    said, problem = load(raw, file, first_line=2)
    if problem:
        return {}, lines, height, [problem]
    if said is None:
        return {}, lines, height, []
    if not isinstance(said, dict):
        return {}, lines, height, [Problem(file, 2, "the head is not a list of `key: value` lines")]
    return said, lines, height, []


def load(raw: str, file: str, first_line: int = 1) -> tuple[object, Problem | None]:
    """One YAML document, or what is wrong with it; never raises, whatever it is given."""
    try:
        return yaml.safe_load(raw), None
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        at = f" (column {mark.column + 1})" if mark else ""
        line = first_line + (mark.line if mark else 0)
        return None, Problem(file, line, f"not valid YAML: {broken.problem or broken.context}{at}")
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as broken:
        reason = "nested too deeply" if isinstance(broken, RecursionError) else str(broken).split("\n", 1)[0][:120]
        return None, Problem(file, first_line, f"not valid YAML: {reason}")


class Outline:
    """The blocks of a Markdown text. Only blocks are parsed; what stands within a line stays as it was written."""

    def __init__(self, text: str, skip: int = 0) -> None:
        self.lines = [""] * skip + text.split("\n")[skip:]
        parser = MarkdownIt("commonmark")
        parser.core.ruler.disable("inline")
        self.tokens: Sequence[Token] = parser.parse("\n".join(self.lines))
        self.sections = tuple(self._sections())

    @property
    def title(self) -> str:
        """The first heading of the first level, or else the first heading of all."""
        best = min((s for s in self.sections if s.path), key=lambda s: (s.level > 1, s.start), default=None)
        return best.heading if best else ""

    def blocks(self, section: Section) -> list[tuple[int, int]]:
        """First and last line (exclusive) of each block of a section; the heading belongs to the first one."""
        inside = [
            (token.map[0], token.map[1])
            for token in self.tokens
            if token.level == 0 and token.map and section.start <= token.map[0] < section.end and token.nesting >= 0
        ]
        return [(a, b) for a, b in inside if b > a]

    def items(self, start: int, end: int) -> list[tuple[int, int]]:
        """The lines of each item of the list that takes exactly these lines."""
        return [
            (token.map[0], token.map[1])
            for token in self.tokens
            if token.type == "list_item_open" and token.level == 1 and token.map and start <= token.map[0] < end
        ]

    def steps(self) -> tuple[str, ...]:
        """What to do about it, in order, as text: the list under the heading that promises a remedy."""
        below = [s for s in self.sections if s.path and s.heading != self.title]
        own = [s for s in below if self._promises(s.heading)]
        inherited = [s for s in below if self._promises(s.path[-2:][0]) and not _NOT_REMEDY.search(s.heading)]
        for section in (*own, *inherited):
            if found := self._list(section, "ordered_list_open"):
                return found
        numbered = [_NUMBERED.sub("", s.heading) for s in below if s in own + inherited and _NUMBERED.match(s.heading)]
        if len(numbered) > 1:
            return _bounded(numbered)
        for section in (*own, *inherited):
            if found := self._list(section, "bullet_list_open"):
                return found
        rest = [s for s in self.sections if not any(_NOT_REMEDY.search(heading) for heading in s.path)]
        return max((self._list(s, "ordered_list_open") for s in rest), key=len, default=())

    @staticmethod
    def _promises(heading: str) -> bool:
        return bool(_REMEDY.search(heading)) and not _NOT_REMEDY.search(heading)

    def _list(self, section: Section, kind: str) -> tuple[str, ...]:
        for at, token in enumerate(self.tokens):
            if token.type == kind and token.level == 0 and token.map and section.start <= token.map[0] < section.end:
                return _bounded(list(self._items_as_text(at)))
        return ()

    def _items_as_text(self, opening: int) -> Iterator[str]:
        words: list[str] = []
        for token in self.tokens[opening + 1 :]:
            if token.level == 0:
                return
            if token.type == "list_item_close" and token.level == 1:
                yield " ".join(" ".join(words).split())
                words = []
            elif token.type == "inline":
                words.append(token.content)
            elif token.type in {"fence", "code_block"}:
                words.append(f"`{' '.join(token.content.split())}`")

    def _sections(self) -> Iterator[Section]:
        heads = [
            (int(token.tag[1]), " ".join(self.tokens[at + 1].content.split())[:200], token.map[0])
            for at, token in enumerate(self.tokens)
            if token.type == "heading_open" and token.level == 0 and token.map
        ]
        yield Section(0, (), 0, heads[0][2] if heads else len(self.lines))
        above: list[tuple[int, str]] = []
        for at, (level, heading, start) in enumerate(heads):
            above = [(depth, text) for depth, text in above if depth < level] + [(level, heading)]
            end = heads[at + 1][2] if at + 1 < len(heads) else len(self.lines)
            yield Section(level, tuple(text for _, text in above), start, end)


def _bounded(steps: Sequence[str]) -> tuple[str, ...]:
    shown = [step if len(step) <= _LONGEST_STEP else step[: _LONGEST_STEP - 1] + "…" for step in steps if step]
    return tuple(shown[:_MOST_STEPS])

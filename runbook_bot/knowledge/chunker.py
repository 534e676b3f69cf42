"""How a document is cut into passages: along its headings, with the steps of a procedure kept together."""

from collections.abc import Iterator
from itertools import pairwise

from runbook_bot.knowledge.document import Part
from runbook_bot.knowledge.markdown import Outline, Section

TARGET = 1_500
"""Characters of a passage, as a rule."""
SMALL = 200
"""A section shorter than this joins its neighbour."""
LARGEST = 4_000
"""Characters of a passage, at most; a list of steps may take all of them."""

_Span = tuple[int, int]


def cut_markdown(outline: Outline) -> tuple[Part, ...]:
    """The passages of a Markdown document, in order. The title is not repeated as a heading of each."""
    parts: list[Part] = []
    for section in outline.sections:
        for start, end in _spans(outline, section):
            text = "\n".join(outline.lines[start:end]).strip("\n")
            if not text.strip():
                continue
            line = start + 1 + _leading_blanks(outline.lines[start:end])
            part = Part(_named(section, outline.title), text[:LARGEST], line)
            if parts and _join(parts[-1], part):
                gap = "\n" * max(1, line - parts[-1].line - parts[-1].text.count("\n"))
                parts[-1] = Part(parts[-1].heading or part.heading, parts[-1].text + gap + text, parts[-1].line)
            else:
                parts.append(part)
    return tuple(parts)


def cut_lines(text: str, heading: str = "", first_line: int = 1) -> tuple[Part, ...]:
    """The passages of a text without headings, cut at empty lines where there are any."""
    lines = text.split("\n")
    parts = []
    for start, end in _packed(lines, list(_paragraphs(lines))):
        piece = "\n".join(lines[start:end]).strip("\n")
        if piece.strip():
            line = first_line + start + _leading_blanks(lines[start:end])
            parts.append(Part(heading, piece[:LARGEST], line))
    return tuple(parts)


def _spans(outline: Outline, section: Section) -> list[_Span]:
    blocks = outline.blocks(section)
    if not blocks:
        return []
    # what stands between two blocks (empty lines, link definitions) goes with the one before
    # and a heading with what follows it
    starts = [section.start, *(start for start, _ in blocks[2 if section.path else 1 :])]
    whole = list(zip(starts, [*starts[1:], section.end], strict=True))
    pieces: list[_Span] = []
    for start, end in whole:
        if _size(outline.lines, (start, end)) <= LARGEST:
            pieces.append((start, end))
            continue
        inner = [a for a, _ in outline.items(start, end)] or [
            start + a for a, _ in _paragraphs(outline.lines[start:end])
        ]
        cuts = [start, *[a for a in inner if a > start], end]
        pieces.extend(pairwise(cuts))
    return _packed(outline.lines, pieces)


def _packed(lines: list[str], pieces: list[_Span]) -> list[_Span]:
    """Neighbours put together up to the target; a piece that is too large by itself is cut between lines."""
    packed: list[_Span] = []
    for start, end in (small for piece in pieces for small in _cut(lines, piece)):
        if packed and _size(lines, (packed[-1][0], end)) <= TARGET:
            packed[-1] = (packed[-1][0], end)
        else:
            packed.append((start, end))
    return packed


def _cut(lines: list[str], piece: _Span) -> Iterator[_Span]:
    start, end = piece
    while _size(lines, (start, end)) > LARGEST and end - start > 1:
        stop, size = start, 0
        while stop < end and (stop == start or size + len(lines[stop]) + 1 <= TARGET):
            size += len(lines[stop]) + 1
            stop += 1
        yield start, stop
        start = stop
    if start < end:
        yield start, end


def _paragraphs(lines: list[str]) -> Iterator[_Span]:
    start = 0
    for at in range(1, len(lines)):
        if lines[at].strip() and not lines[at - 1].strip():
            yield start, at
            start = at
    yield start, len(lines)


def _size(lines: list[str], span: _Span) -> int:
    return sum(len(line) + 1 for line in lines[span[0] : span[1]])


def _join(before: Part, part: Part) -> bool:
    fits = len(before.text) + len(part.text) <= TARGET
    return fits and (len(before.text) < SMALL or len(part.text) < SMALL)


def _named(section: Section, title: str) -> str:
    return " › ".join(heading for heading in section.path if heading != title)


def _leading_blanks(lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.strip()), 0)

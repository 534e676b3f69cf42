"""From the bytes of a file to a document: Markdown, YAML or plain text. Nothing in a file can make it raise."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import yaml

from runbook_bot.knowledge.chunker import cut_lines, cut_markdown
from runbook_bot.knowledge.document import KEYS, About, Document, Part, Problem
from runbook_bot.knowledge.markdown import Outline, head, load

MARKDOWN = frozenset({".md", ".markdown"})
YAML = frozenset({".yaml", ".yml"})
ENDINGS = MARKDOWN | YAML | {".txt"}
LARGEST_FILE = 1_000_000

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_STEPS = ("steps", "remediation", "mitigation", "resolution")


def read(file: str, raw: bytes) -> Document | Problem:
    """A document, with what is wrong with it; or the problem, where there is nothing to be read."""
    if len(raw) > LARGEST_FILE:
        return Problem(file, 1, f"larger than {LARGEST_FILE // 1000} kB, left out")
    if b"\0" in raw:
        return Problem(file, 1, "not a text file, left out")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = raw.count(b"\n", 0, broken.start) + 1
        return Problem(file, line, f"not UTF-8 text (byte {broken.start}), left out")
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.strip():
        return Problem(file, 1, "empty, left out")
    ending = PurePosixPath(file).suffix.lower()
    if ending in MARKDOWN:
        return _markdown(file, text)
    return _yaml(file, text) if ending in YAML else _plain(file, text)


def _markdown(file: str, text: str) -> Document:
    said, lines, skip, problems = head(text, file)
    about = About(file, said, lines, problems)
    outline = Outline(text, skip)
    parts = cut_markdown(outline)
    if not parts:
        about.problems.append(Problem(file, skip + 1, "there is nothing below the head"))
    title = about.title() or outline.title or _from_name(file)
    return _document(about, title, parts, outline.steps())


def _plain(file: str, text: str) -> Document:
    first = next(line.strip() for line in text.split("\n") if line.strip())
    title = first if len(first) <= 100 else _from_name(file)
    return _document(About(file, {}, {}), title, cut_lines(text))


def _yaml(file: str, text: str) -> Document:
    said, problem = load(text, file)
    if problem or not isinstance(said, dict):
        about = About(file, {}, {}, [problem] if problem else [])
        return _document(about, _from_name(file), cut_lines(text))
    spans = list(_keys(text))
    about = About(file, said, {key: start + 1 for key, start, _ in spans})
    title = about.title() or str(said.get("name") or "")[:200] or _from_name(file)
    rows = text.split("\n")
    parts = tuple(
        part
        for key, start, end in spans
        if key not in KEYS
        for part in cut_lines("\n".join(rows[start:end]), key.replace("_", " "), start + 1)
    )
    return _document(about, title, parts or cut_lines(text), _listed_steps(said))


def _keys(text: str) -> Iterator[tuple[str, int, int]]:
    """Each key of the first level with its first and last line (exclusive, counted from 0)."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    starts = [(str(key.value), key.start_mark.line) for key, _ in node.value]
    ends = [start for _, start in starts[1:]] + [text.count("\n") + 1]
    for (key, start), end in zip(starts, ends, strict=True):
        yield key, start, end


def _listed_steps(said: Mapping[object, object]) -> tuple[str, ...]:
    listed = next((said[key] for key in _STEPS if isinstance(said.get(key), list)), [])
    assert isinstance(listed, list)
    texts = [" – ".join(_scalars(step)) for step in listed[:20]]
    return tuple(" ".join(text.split())[:400] for text in texts if text.strip())


def _scalars(step: object) -> list[str]:
    if isinstance(step, Mapping):
        return [str(value) for value in list(step.values())[:10] if isinstance(value, str | int | float)]
    return [str(step)] if isinstance(step, str | int | float) else []


def _document(about: About, title: str, parts: tuple[Part, ...], steps: tuple[str, ...] = ()) -> Document:
    about.misspelt()
    kind = about.kind()
    services, modes, tags, updated = (
        about.words("services"),
        about.failure_modes(),
        about.words("tags"),
        about.updated(),
    )
    if kind == "runbook" and not steps:
        about.problems.append(Problem(about.file, 1, "no steps found: nobody can follow this runbook", "warning"))
    return Document(title, kind, parts, steps, services, modes, tags, updated, tuple(about.problems))


def _from_name(file: str) -> str:
    return re.sub(r"[-_]+", " ", PurePosixPath(file).stem).strip() or file

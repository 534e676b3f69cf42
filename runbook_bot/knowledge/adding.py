"""How a document gets into the team's folder: checked first, never over another one."""

import re
from pathlib import Path

import yaml

from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.document import Problem
from runbook_bot.knowledge.reading import ENDINGS, read

_LONGEST_NAME = 80


def add_file(folder: Path, origin: Path) -> str:
    """Copy a file into the folder; returns its name there. Raises `KnowledgeError`."""
    if origin.suffix.lower() not in ENDINGS:
        raise KnowledgeError(f"{origin} is no document: {', '.join(sorted(ENDINGS))} are")
    try:
        raw = origin.read_bytes()
        if origin.resolve().is_relative_to(folder.resolve()):
            _refuse_unreadable(origin.name, raw)
            return origin.resolve().relative_to(folder.resolve()).as_posix()
    except OSError as error:
        raise KnowledgeError(f"{origin} cannot be read: {error.strerror}") from error
    return _write(folder, origin.stem, origin.suffix.lower(), raw)


def add_text(folder: Path, text: str, title: str) -> str:
    """Write a text as a Markdown document into the folder; returns its name there. Raises `KnowledgeError`."""
    title = " ".join(title.split())
    if title and not text.startswith("---\n"):
        text = f"---\n{yaml.safe_dump({'title': title}, allow_unicode=True)}---\n\n{text}"
    raw = (text.rstrip() + "\n").encode("utf-8", "replace")
    document = read("new.md", raw)
    name = title or (document.title if not isinstance(document, Problem) else "")
    return _write(folder, name or "note", ".md", raw)


def _write(folder: Path, name: str, ending: str, raw: bytes) -> str:
    slug = re.sub(r"[^\w]+", "-", name.lower()).strip("-_")[:_LONGEST_NAME] or "note"
    _refuse_unreadable(f"{slug}{ending}", raw)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            target = folder / (f"{slug}{ending}" if number == 1 else f"{slug}-{number}{ending}")
            try:
                with target.open("xb") as file:
                    file.write(raw)
            except FileExistsError:
                if target.read_bytes() == raw:
                    return target.name
                continue
            return target.name
    except OSError as error:
        raise KnowledgeError(f"{folder} cannot be written: {error.strerror}") from error
    raise KnowledgeError(f"{folder} holds a thousand documents named {slug} already")


def _refuse_unreadable(file: str, raw: bytes) -> None:
    document = read(file, raw)
    if isinstance(document, Problem):
        raise KnowledgeError(f"{file}: {document.message.removesuffix(', left out')}")
    if document.errors:
        raise KnowledgeError(str(document.errors[0]))

"""The last service graph of each vendor on disk, for the accounts and regions that it was found in."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import structlog
from pydantic import ValidationError

from runbook_bot.domain.noun import Noun
from runbook_bot.domain.service import ServiceGraph

_log = structlog.get_logger(__name__)

_MOST_BYTES = 50_000_000


class _Page(Noun):
    view: str
    graph: ServiceGraph


class FileGraphs:
    """A file a vendor. `views` says what each vendor looks at: a graph of anything else is not used."""

    def __init__(self, folder: Path, views: dict[str, str]) -> None:
        self._folder = folder
        self._views = views

    def load(self, provider: str) -> ServiceGraph | None:
        path = self._path(provider)
        try:
            if path.stat().st_size > _MOST_BYTES:
                return None
            page = _Page.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as problem:
            _log.warning("the stored service graph cannot be read", path=str(path), problem=type(problem).__name__)
            return None
        return page.graph if page.view == self._views.get(provider, "") else None

    def save(self, provider: str, graph: ServiceGraph) -> None:
        path = self._path(provider)
        page = _Page(view=self._views.get(provider, ""), graph=graph)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(page.model_dump_json())
            aside.replace(path)
        except OSError as problem:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            _log.warning("the service graph could not be stored", path=str(path), problem=problem.strerror)

    def _path(self, provider: str) -> Path:
        return self._folder / f"{provider}.json"

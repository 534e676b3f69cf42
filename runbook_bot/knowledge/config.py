"""How the `knowledge:` part of config.yaml looks."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(_Section):
    """A folder of documents."""

    type: Literal["filesystem"] = "filesystem"
    path: Path
    """A folder, or one file. A relative path starts at the folder that holds config.yaml."""
    watch: bool = True
    """Look for changed files before every search; otherwise only once after the start and at `knowledge sync`."""


class StoreSettings(_Section):
    """Where the vectors are kept. The index can be rebuilt from the sources at any time."""

    type: Literal["chroma"] = "chroma"
    path: Path | None = None
    """Folder of the embedded Chroma; `chroma/` beside config.yaml where nothing is said."""
    url: str | None = None
    """Address of a Chroma server, e.g. `http://chroma:8000`; needed as soon as several machines share one index."""
    embedding: Literal["lsi"] = "lsi"
    """Latent semantic indexing over the team's own documents: no download, no network."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.path and self.url:
            raise ValueError("path and url exclude each other: the vectors are on disk or on a server")
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError("url must look like http://host:8000")
            if parts.port == 0:  # asking for it also finds out one that is no number
                raise ValueError("url must name a port that can be reached")
            if parts.username or parts.password:
                raise ValueError("url must not hold a user name or a password")
        return self


class RetrievalSettings(_Section):
    top_k: int = Field(default=10, ge=1, le=50)
    """How many passages a search returns where the caller names no number."""
    rerank: bool = True
    """Prefer documents whose title the question covers."""


class KnowledgeSettings(_Section):
    sources: tuple[SourceSettings, ...] = (SourceSettings(path=Path("runbooks")),)
    store: StoreSettings = StoreSettings()
    retrieval: RetrievalSettings = RetrievalSettings()

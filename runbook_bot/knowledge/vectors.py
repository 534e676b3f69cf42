"""The vectors of the passages, in Chroma: embedded on disk, or on a server."""

import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from runbook_bot.errors import KnowledgeError

_BATCH = 2_000
_NO_DAMAGE = ("locked", "full", "readonly", "read-only", "permission", "unable to open")
_CONNECT_SECONDS = 1.5
_ANSWER_SECONDS = 10.0


class Damaged(KnowledgeError):
    """A folder that this Chroma cannot use: another version's, or a broken one."""


class Vectors:
    """One Chroma, opened at first use. Used by one thread; every method raises `KnowledgeError`.

    Each embedder and dimension has a collection of its own, so that a new model is built beside the old one.
    Our vectors are given to Chroma as they are: its own embedding function would download a model.
    """

    def __init__(self, *, path: Path | None = None, url: str | None = None) -> None:
        self._path, self._url = path, url
        self._client: Any = None
        self._collections: dict[str, Any] = {}

    @property
    def place(self) -> str:
        return f"Chroma at {self._url}" if self._url else f"Chroma in {self._path}"

    def open(self) -> None:
        if self._client is not None:
            return
        chromadb = load()
        try:
            self._client = self._connected(chromadb)
            self._client.list_collections()
        except (chromadb.errors.ChromaError, ValueError, OSError) as error:
            self.close()
            # Chroma keeps the half-opened system and would hand it out at the next attempt
            chromadb.api.client.SharedSystemClient._identifier_to_system.pop(str(self._path), None)
            raise self._said("cannot be opened", error) from error

    def close(self) -> None:
        if self._client is not None:
            for session in self._sessions(self._client):
                session.close()
            self._client.close()
        self._client, self._collections = None, {}

    def set_aside(self) -> Path:
        """Move a folder that this Chroma cannot open out of the way, whole. Raises `KnowledgeError`."""
        assert self._path is not None
        self.close()
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self._path.with_name(f"{self._path.name}.unreadable-{moment}")
        try:
            self._path.rename(aside)
        except OSError as error:
            raise KnowledgeError(f"{self._path} is no readable Chroma and cannot be moved: {error.strerror}") from error
        return aside

    @property
    def on_server(self) -> bool:
        """Others may use it too."""
        return self._url is not None

    def count(self, name: str) -> int:
        """How many vectors a collection holds; 0 where there is none of that name."""
        return int(self._asked(lambda: self._collection(name).count(), absent=0))

    def put(self, name: str, keys: Sequence[str], rows: NDArray[np.float32]) -> None:
        def write() -> None:
            self._collection(name, create=True)
            for at in range(0, len(keys), _BATCH):
                batch = list(keys[at : at + _BATCH])
                self._collection(name).upsert(ids=batch, embeddings=rows[at : at + _BATCH])

        self._asked(write)

    def remove(self, name: str, keys: Sequence[str]) -> None:
        def write() -> None:
            for at in range(0, len(keys), _BATCH):
                self._collection(name).delete(ids=list(keys[at : at + _BATCH]))

        self._asked(write)

    def names(self) -> list[str]:
        """Of all collections."""
        return list(self._asked(lambda: [one.name for one in self._client.list_collections()]))

    def drop(self, name: str) -> None:
        self._collections.pop(name, None)
        self._asked(lambda: self._client.delete_collection(name))

    def nearest(self, name: str, row: NDArray[np.float32], most: int) -> list[tuple[str, float]] | None:
        """Keys of the closest vectors with their cosine, best first; None where the collection is gone."""

        def read() -> list[tuple[str, float]]:
            found = self._collection(name).query(query_embeddings=[row], n_results=most, include=["distances"])
            return [(key, 1 - d) for key, d in zip(found["ids"][0], found["distances"][0], strict=True)]

        found: list[tuple[str, float]] | None = self._asked(read)
        return found

    def _connected(self, chromadb: Any) -> Any:
        settings = chromadb.config.Settings(anonymized_telemetry=False)
        if self._path is not None:
            self._path.mkdir(parents=True, exist_ok=True)
            return chromadb.PersistentClient(str(self._path), settings=settings)
        assert self._url is not None
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        assert parts.hostname is not None
        # Chroma's client waits for ever, so a server that is not there is found out first
        socket.create_connection((parts.hostname, port), timeout=_CONNECT_SECONDS).close()
        client = chromadb.HttpClient(host=parts.hostname, port=port, ssl=parts.scheme == "https", settings=settings)
        for session in self._sessions(client):
            session.timeout = _ANSWER_SECONDS
        return client

    @staticmethod
    def _sessions(client: Any) -> list[Any]:
        """The HTTP connections behind a client, which Chroma neither bounds in time nor closes."""
        servers = {id(part._server): part._server for part in (client, client._admin_client)}
        return [server._session for server in servers.values() if hasattr(server, "_session")]

    def _collection(self, name: str, *, create: bool = False) -> Any:
        if name not in self._collections:
            if create:
                self._collections[name] = self._client.get_or_create_collection(
                    name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
                )
            else:
                self._collections[name] = self._client.get_collection(name, embedding_function=None)
        return self._collections[name]

    def _asked(self, call: Any, absent: Any = None) -> Any:
        self.open()
        chromadb = load()
        import httpx

        try:
            return call()
        except chromadb.errors.NotFoundError:
            self._collections.clear()
            return absent
        except (chromadb.errors.ChromaError, httpx.HTTPError, ValueError, OSError) as error:
            raise self._said("cannot be used", error) from error

    def _said(self, what: str, error: Exception) -> KnowledgeError:
        message = (str(error).strip() or type(error).__name__).split("\n", 1)[0][:200]
        harmless = self.on_server or any(word in message.lower() for word in _NO_DAMAGE)
        return (KnowledgeError if harmless else Damaged)(f"{self.place} {what}: {message}")


def load() -> Any:
    """Imported at first use: it takes half a second, and much that never searches loads this module."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    import chromadb.errors

    return chromadb

"""The dense half of the index: the model, the vectors, and keeping both in step with the record."""

import time
from collections.abc import Mapping

from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.embedding import Embedder
from runbook_bot.knowledge.lsi import Lsi
from runbook_bot.knowledge.record import Record
from runbook_bot.knowledge.vectors import Damaged, Vectors

_SMALL = 500
"""Passages up to which a new model is made at every change: it takes a fraction of a second."""
_CHURN = 0.2
"""Share of passages that may come and go before the model and its collection are made anew."""
_RETRY_SECONDS = 30.0
_PREFIX = "knowledge-"


class Meaning:
    """Where Chroma is out of order this says why in `trouble`, and the search goes on without it."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors
        self.trouble = ""
        self.lost = False
        """The last search found the vectors gone or damaged; aligning makes them anew."""
        self._retry_at = 0.0
        self._model: Embedder | None = None
        self._generation = 0

    @property
    def resting(self) -> bool:
        """It failed a moment ago, and is not asked again yet."""
        return bool(self.trouble) and time.monotonic() < self._retry_at

    def align(self, record: Record) -> list[str]:
        """Make the vectors those of the passages; returns what people should know. Needs the lock of the index."""
        notes: list[str] = []
        try:
            try:
                self._align(record)
            except Damaged as damage:
                aside = self.vectors.set_aside()
                notes = [f"{damage}; it was moved to {aside.name} and made anew from the sources"]
                self._align(record)
        except KnowledgeError as error:
            self._failed(error)
            return notes
        self.trouble = ""
        self._generation = record.generation
        return notes

    def nearest(self, record: Record, question: str, most: int) -> list[tuple[int, float]]:
        """Ids of the passages that mean something similar, with their cosine, best first."""
        self.lost = False
        if self.resting or not record.model:
            return []
        try:
            self._follow(record)
            row = self._model.embed([question])[0] if self._model else None
            if self._model is None or row is None:
                self.lost = True
                return []
            found = self.vectors.nearest(_name(self._model), row, most) if row.any() else []
        except KnowledgeError as error:
            self._failed(error)
            self.lost = isinstance(error, Damaged)
            return []
        self.trouble = ""
        self.lost = found is None
        ids = record.by_keys(key for key, _ in found or [])
        return [(id, cosine) for key, cosine in found or [] for id in ids.get(key, [])]

    def close(self) -> None:
        self.vectors.close()

    def _failed(self, error: KnowledgeError) -> None:
        self.trouble = str(error)
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        self.vectors.close()

    def _follow(self, record: Record) -> None:
        """Take up what another process has written: an open Chroma does not see it by itself."""
        if self._generation != record.generation:
            self.vectors.close()
            self._generation = record.generation
        if self._model is None or self._model.id != record.model:
            self._model = record.load_model()

    def _align(self, record: Record) -> None:
        model = record.load_model()
        if model is None and not record.keys():
            return
        if model and not _outgrown(record, model) and self.vectors.count(_name(model)) >= record.embedded(model.id):
            if not record.aligned():
                self._extend(record, model)
            if self.vectors.count(_name(model)) == record.keys():
                self._model = model
                return
        self._rebuild(record)

    def _rebuild(self, record: Record) -> None:
        texts = record.texts()
        model = Lsi.fit(list(texts.values()))
        before = self.vectors.names()
        if _name(model) in before:
            self.vectors.drop(_name(model))
        self._put(model, texts)
        replaced = record.model
        with record.change():
            record.adopt(model)
            record.note_embedded(model.id)
        self._model = model
        # a server may hold the collections of others; a folder is ours alone
        ours = f"{_PREFIX}{replaced}-" if self.vectors.on_server else _PREFIX
        for name in before:
            if name.startswith(ours) and name != _name(model):
                self.vectors.drop(name)

    def _extend(self, record: Record, model: Lsi) -> None:
        if doomed := record.doomed():
            self.vectors.remove(_name(model), doomed)
        self._put(model, record.texts(without=model.id))
        with record.change():
            record.note_embedded(model.id)

    def _put(self, model: Embedder, texts: Mapping[str, str]) -> None:
        if texts and model.dimensions:
            self.vectors.put(_name(model), list(texts), model.embed(list(texts.values())))


def _outgrown(record: Record, model: Lsi) -> bool:
    return record.churn > (0 if model.fitted <= _SMALL else _CHURN * model.fitted)


def _name(model: Embedder) -> str:
    return f"{_PREFIX}{model.id}-{model.dimensions}"

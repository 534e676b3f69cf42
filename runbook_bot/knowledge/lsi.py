"""Latent semantic indexing: vectors made from the team's own documents, without a download and without a network.

Deerwester et al., "Indexing by latent semantic analysis", 1990; the decomposition is the randomised one of
Halko, Martinsson and Tropp, "Finding structure with randomness", 2011.
"""

import hashlib
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from runbook_bot.knowledge.terms import terms

DIMENSIONS = 384
_OVERSAMPLED = 10
_ROUNDS = 3
_MOST_TERMS = 20_000
_LARGE = 2_000
"""From so many texts on, a term must occur in two of them."""
_AT_ONCE = 40_000
"""Entries of the sparse matrix that are multiplied in one go; bounds the memory."""
_VERSION = 1

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lsi:
    """A fitted model: terms, what each is worth, and the directions that the corpus varies in."""

    id: str
    """Equal for the same texts; another one where the vectors cannot be compared."""
    fitted: int
    """How many texts it was made from."""
    vocabulary: tuple[str, ...]
    worth: Matrix
    directions: Matrix
    """Terms by dimensions."""

    @property
    def dimensions(self) -> int:
        return int(self.directions.shape[1])

    @cached_property
    def _place(self) -> dict[str, int]:
        return {term: at for at, term in enumerate(self.vocabulary)}

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        counts = [Counter(terms(text)) for text in texts]
        spread = Counter(term for count in counts for term in count)
        least = 2 if len(texts) >= _LARGE else 1
        common = sorted((-n, term) for term, n in spread.items() if n >= least)[:_MOST_TERMS]
        vocabulary = tuple(sorted(term for _, term in common))
        worth = np.array([math.log((1 + len(texts)) / (1 + spread[t])) + 1 for t in vocabulary], dtype=np.float32)
        blank = cls(_identity(texts), len(texts), vocabulary, worth, np.zeros((len(vocabulary), 0), np.float32))
        directions = _principal(blank._sparse(counts))
        return cls(blank.id, len(texts), vocabulary, worth, directions)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Unit vectors, one row a text; a row of zeros where a text shares no term with the corpus."""
        rows = self._sparse([Counter(terms(text)) for text in texts]).times(self.directions)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.maximum(length, 1e-6)
        return rows

    def _sparse(self, counts: Sequence[Counter[str]]) -> "_Sparse":
        starts, columns, values = [0], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for count in counts:
            known = [(self._place[term], n) for term, n in count.items() if term in self._place]
            at = np.array([place for place, _ in known], dtype=np.int64)
            weight = np.array([1 + math.log(n) for _, n in known], dtype=np.float32) * self.worth[at]
            columns.append(at)
            values.append(weight / max(float(np.linalg.norm(weight)), 1e-9))
            starts.append(starts[-1] + len(known))
        shape = (len(counts), len(self.vocabulary))
        return _Sparse(shape, np.array(starts), np.concatenate(columns), np.concatenate(values))

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        words = np.frombuffer("\n".join(self.vocabulary).encode(), dtype=np.uint8)
        np.savez(buffer, words=words, worth=self.worth, directions=self.directions, fitted=np.array(self.fitted))
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, id: str, raw: bytes) -> Self:
        """Raises `ValueError` for anything else than what `to_bytes` made."""
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
                words = kept["words"].tobytes().decode()
                vocabulary = tuple(words.split("\n")) if words else ()
                return cls(id, int(kept["fitted"]), vocabulary, kept["worth"], kept["directions"])
        except (OSError, EOFError, KeyError) as broken:
            raise ValueError(f"not a model: {broken}") from broken


@dataclass(frozen=True, eq=False)
class _Sparse:
    """A matrix of mostly zeros, row after row: where each row starts, its columns and its values."""

    shape: tuple[int, int]
    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Matrix

    def times(self, dense: Matrix) -> Matrix:
        product = np.zeros((self.shape[0], dense.shape[1]), np.float32)
        row = 0
        while row < self.shape[0]:
            after = int(np.searchsorted(self.starts, self.starts[row] + _AT_ONCE, side="right")) - 1
            after = min(max(after, row + 1), self.shape[0])
            first, last = self.starts[row], self.starts[after]
            filled = np.flatnonzero(np.diff(self.starts[row : after + 1]))
            if len(filled):  # an empty row would make reduceat repeat its neighbour
                scaled = dense[self.columns[first:last]] * self.values[first:last, None]
                product[row + filled] = np.add.reduceat(scaled, self.starts[row + filled] - first, axis=0)
            row = after
        return product

    @cached_property
    def transposed(self) -> "_Sparse":
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.starts))
        order = np.argsort(self.columns, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.columns, minlength=self.shape[1]))])
        return _Sparse((self.shape[1], self.shape[0]), starts, rows[order], self.values[order])


def _principal(matrix: _Sparse) -> Matrix:
    """The first right singular vectors, at most `DIMENSIONS`; the same for the same matrix."""
    width = min(DIMENSIONS + _OVERSAMPLED, *matrix.shape)
    if width == 0:
        return np.zeros((matrix.shape[1], 0), np.float32)
    chance = np.random.default_rng(1990)
    sample = matrix.times(chance.standard_normal((matrix.shape[1], width), dtype=np.float32))
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(sample)
        sample = matrix.times(matrix.transposed.times(basis))
    basis, _ = np.linalg.qr(sample)
    small = matrix.transposed.times(basis)
    right, sizes, _ = np.linalg.svd(small, full_matrices=False)
    kept = min(DIMENSIONS, int((sizes > 1e-4 * sizes[0]).sum()))
    return np.ascontiguousarray(right[:, :kept], dtype=np.float32)


def _identity(texts: Sequence[str]) -> str:
    whole = hashlib.sha256(f"{_VERSION}:{DIMENSIONS}".encode())
    for one in sorted(hashlib.sha256(text.encode()).digest() for text in texts):
        whole.update(one)
    return "lsi-" + whole.hexdigest()[:16]

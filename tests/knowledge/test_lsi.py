"""Vectors from the corpus itself."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from runbook_bot.knowledge import lsi
from runbook_bot.knowledge.lsi import Lsi
from runbook_bot.knowledge.terms import terms

TEXTS = [
    "the database has too many connections",
    "connections of the database pool are exhausted",
    "certificate of the load balancer has expired",
    "renew the expired certificate",
    "pool exhausted, clients wait for the database",
    "deployment of a new revision, roll back the revision",
]


def test_what_means_the_same_is_near_without_a_word_in_common() -> None:
    """`clients wait` and `too many connections` share no word, but both are said of the database."""
    model = Lsi(**{**vars(Lsi.fit(TEXTS)), "directions": Lsi.fit(TEXTS).directions[:, :2]})
    asked, same, other = model.embed(["clients wait", "too many connections", "renew certificate"])
    assert asked @ same > 0.9
    assert asked @ other < 0.5


def test_the_same_texts_make_the_same_model() -> None:
    one, other = Lsi.fit(TEXTS), Lsi.fit(TEXTS)
    assert one.id == other.id
    assert one.directions.tobytes() == other.directions.tobytes()
    assert Lsi.fit(TEXTS[:-1]).id != one.id
    assert Lsi.fit(TEXTS[::-1]).id == one.id


def test_a_model_survives_being_written_down() -> None:
    model = Lsi.fit(TEXTS)
    again = Lsi.from_bytes(model.id, model.to_bytes())
    assert again.embed(TEXTS).tobytes() == model.embed(TEXTS).tobytes()
    assert (again.id, again.fitted, again.dimensions) == (model.id, 6, model.dimensions)
    with pytest.raises(ValueError, match=r"not a model|pickle"):
        Lsi.from_bytes("x", b"garbage")


def test_vectors_have_length_one_or_none() -> None:
    rows = Lsi.fit(TEXTS).embed(["database", "nothing known here", ""])
    assert np.linalg.norm(rows, axis=1).round(4).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("texts", [[], [""], ["of the and"], ["one"], ["same words", "same words"]])
def test_tiny_corpora_are_no_trouble(texts: list[str]) -> None:
    model = Lsi.fit(texts)
    rows = Lsi.from_bytes(model.id, model.to_bytes()).embed([*texts, "same words one"])
    assert rows.shape == (len(texts) + 1, model.dimensions)
    assert np.isfinite(rows).all()


def test_long_matrices_are_multiplied_in_pieces() -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]
    counts = [Counter(words[: row % 7]) for row in range(20_000)]
    matrix = Lsi.fit([" ".join(words)])._sparse(counts)
    assert len(matrix.values) > lsi._AT_ONCE
    sums = [float(matrix.values[a:b].sum()) for a, b in pairwise(matrix.starts)]
    assert np.allclose(matrix.times(np.ones((7, 1), np.float32))[:, 0], sums, atol=1e-4)


def test_the_randomised_decomposition_finds_the_true_directions() -> None:
    chance = np.random.default_rng(3)
    topics = [[f"t{topic}w{word}x" for word in range(12)] for topic in range(8)]
    texts = [" ".join(chance.choice(topics[n % 8], 30)) for n in range(600)]
    model = Lsi.fit(texts)
    counts = model._sparse([Counter(terms(text)) for text in texts])
    whole = counts.times(np.eye(len(model.vocabulary), dtype=np.float32))
    _, sizes, right = np.linalg.svd(whole, full_matrices=False)
    found = np.linalg.norm(whole @ model.directions[:, :8], axis=0)
    assert np.allclose(found, sizes[:8], rtol=1e-3)
    assert np.allclose(counts.transposed.times(np.eye(600, dtype=np.float32)), whole.T)
    assert abs(right[0] @ model.directions[:, 0]) > 0.999

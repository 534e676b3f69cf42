"""What the index needs of an embedder, whichever it is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    @property
    def id(self) -> str:
        """Vectors of another id cannot be compared with these."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, one row a text; a row of zeros where nothing can be said of a text."""
        ...

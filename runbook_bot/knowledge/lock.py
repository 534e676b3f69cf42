"""One writer at a time: a lock on a file, which the system lets go when its holder dies."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing(path: Path, wait: float) -> Iterator[bool]:
    """Whether this process may write; waits up to so many seconds for the one that does. Raises `OSError`."""
    with path.open("a") as file:
        deadline = time.monotonic() + wait
        while not (held := _try(file.fileno())) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield held


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Who did not answer lately, and is therefore left alone for a while: waiting for it helps nobody."""

import time
from collections.abc import Callable

REST = 30.0
"""Seconds for which what let calls run out of time is not asked."""
_SERVICE, _PLACE = 2, 4
"""Calls in a row that ran out of time, of one service and of the whole place."""


class Silence:
    """Of one place: calls that ran out of time, with no answer between them."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._unanswered: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def of(self, service: str) -> bool:
        """Whether the service, or the whole place, is not to be asked now."""
        return any(self._until.get(each, 0.0) > self._now() for each in (service, ""))

    def timed_out(self, service: str) -> None:
        for each, enough in ((service, _SERVICE), ("", _PLACE)):
            self._unanswered[each] = self._unanswered.get(each, 0) + 1
            if self._unanswered[each] >= enough:
                self._until[each] = self._now() + REST

    def answered(self, service: str) -> None:
        """Whatever it said, a refusal too."""
        for each in (service, ""):
            self._unanswered.pop(each, None)
            self._until.pop(each, None)

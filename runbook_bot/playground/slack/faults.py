"""What can go wrong on purpose: rate limits, lost answers, slow and failing calls, all switchable while it runs."""

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass
class Refusal:
    """A call that fails on purpose: Slack's error word, or a bare HTTP status."""

    error: str
    status: int = 200


@dataclass
class Faults:
    """Switches for tests. Rate limits are on as Slack has them; everything else is off until asked for.

    `minute` is the length of the rate window in seconds: shrink it and limits recover sooner.
    `limits` overrides the calls per window of single methods.
    """

    rates: bool = True
    minute: float = 60.0
    limits: dict[str, int] = field(default_factory=dict)
    post_per_second: float = 1.0
    post_burst: int = 8
    file_delay: float = 0.0
    stream_life: float = 300.0
    latency: dict[str, float] = field(default_factory=dict)
    _lost: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, deque[Refusal]] = field(default_factory=lambda: defaultdict(deque))
    _limited: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    _seen: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def lose_answers(self, method: str, times: int = 1) -> None:
        """The next calls take effect, and the connection breaks before the answer."""
        self._lost[method] = self._lost.get(method, 0) + times

    def fail(self, method: str, error: str, times: int = 1, status: int = 200) -> None:
        """The next calls answer this error and take no effect."""
        self._failures[method].extend(Refusal(error, status) for _ in range(times))

    def limit_next(self, method: str, retry_after: int = 1, times: int = 1) -> None:
        """The next calls answer 429 with this Retry-After, whatever the rates say."""
        self._limited[method].extend([retry_after] * times)

    def delay(self, method: str, seconds: float) -> None:
        """Every call to a method (`*` for all) takes this much longer."""
        self.latency[method] = seconds

    # asked by the server

    def seconds_before(self, method: str) -> float:
        """How long to hold a call back."""
        return self.latency.get(method, self.latency.get("*", 0.0))

    def takes_answer(self, method: str) -> bool:
        """Whether this call's answer gets lost; counts it."""
        left = self._lost.get(method, 0)
        if left:
            self._lost[method] = left - 1
        return left > 0

    def next_failure(self, method: str) -> Refusal | None:
        """The failure ordered for this call, used up by asking."""
        waiting = self._failures.get(method)
        return waiting.popleft() if waiting else None

    def retry_after(self, method: str, tier: int, channel: str | None) -> int | None:
        """Seconds to wait when this call is one too many, None when it may pass (it is then counted)."""
        ordered = self._limited.get(method)
        if ordered:
            return ordered.popleft()
        if not self.rates:
            return None
        now = time.monotonic()
        seen = self._seen[method]
        while seen and now - seen[0] >= self.minute:
            seen.popleft()
        if len(seen) >= self.limits.get(method, tier):
            return max(1, math.ceil(self.minute - (now - seen[0])))
        if channel is not None and (wait := self._take_token(channel, now)):
            return wait
        seen.append(now)
        return None

    def _take_token(self, channel: str, now: float) -> int | None:
        """One message a second and channel, with a burst: Slack lets short bursts pass."""
        tokens, before = self._tokens.get(channel, (float(self.post_burst), now))
        tokens = min(float(self.post_burst), tokens + (now - before) * self.post_per_second)
        if tokens < 1:
            self._tokens[channel] = (tokens, now)
            return max(1, math.ceil((1 - tokens) / self.post_per_second))
        self._tokens[channel] = (tokens - 1, now)
        return None

"""How a call is continued: by botocore's own table, or by the token that its request and its answer share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it comes with botocore, untyped as that

_TOKENS = ("NextToken", "nextToken", "Marker", "marker", "NextMarker", "nextMarker", "position")
_OF_PAGINATORS = "PaginationConfig"
"""What callers of botocore's paginators give the size of a page in."""


@dataclass(frozen=True)
class Paging:
    """Where the token of the next page stands in an answer, and where it goes in the request."""

    given: Sequence[str] = ()
    taken: Sequence[Any] = ()
    """Compiled JMESPath expressions, as many as `given`."""
    more: Any = None
    """One that says whether there are more pages, where the service tells."""
    size: str | None = None

    def first(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The request for the first page."""
        request = dict(parameters)
        wanted = (request.pop(_OF_PAGINATORS, None) or {}).get("PageSize")
        return request | ({self.size: wanted} if wanted and self.size else {})

    def following(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any] | None:
        """The request for the page after `answer`; None where that was the last, or where the token stays the same."""
        if self.more is not None and not self.more.search(answer):
            return None
        tokens = {name: path.search(answer) or None for name, path in zip(self.given, self.taken, strict=True)}
        if not any(tokens.values()) or all(request.get(name) == token for name, token in tokens.items()):
            return None
        kept = {name: value for name, value in request.items() if name not in tokens}
        return kept | {name: token for name, token in tokens.items() if token is not None}


def paging_of(config: Mapping[str, Any] | None, asked: Sequence[str], answered: Sequence[str]) -> Paging:
    """config: the entry of botocore's paginator table; asked, answered: the members of request and answer."""
    if config is None:
        token = next((name for name in _TOKENS if name in asked and name in answered), None)
        return Paging((token,), (jmespath.compile(token),)) if token else Paging()
    more = config.get("more_results")
    return Paging(
        given=_each(config["input_token"]),
        taken=[jmespath.compile(path) for path in _each(config["output_token"])],
        more=jmespath.compile(more) if more else None,
        size=config.get("limit_key"),
    )


def _each(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

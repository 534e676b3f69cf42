"""Which service a text points to: by ARN, host, address or URL exactly, or by a name inside it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found

_SHORT = 4
_LONGEST = 4000
_BETWEEN = re.compile(r"[^\w.\-]+")
_GENERIC = frozenset({
    "api", "app", "apps", "web", "www", "auth", "login", "data", "static", "cdn", "assets", "mail", "smtp", "db",
    "cache", "queue", "test", "dev", "prod", "stage", "staging", "docs", "status", "admin", "portal", "gateway",
    "proxy", "logs", "metrics", "events", "files", "images", "s3", "sqs", "sns", "dynamodb", "rds",
})  # fmt: skip
"""First labels of hosts that say nothing about whose they are."""
_PUBLIC = frozenset({
    "com", "net", "org", "io", "dev", "app", "ai", "co", "cloud", "eu", "us", "uk", "de", "fr", "jp", "cn", "info",
    "biz", "edu", "gov",
})  # fmt: skip
_ALIASES = 5


@dataclass(frozen=True)
class Directory:
    """Who is reached by what."""

    handles: Mapping[str, Sequence[str]]
    """The services' names by lower-case ARN, host or URL; several may be behind one target group."""
    names: Mapping[str, str]
    """The service's name by the lower-case names of itself and its resources."""
    aliases: Mapping[str, str]
    """Hosts that are another name for a host."""

    def at(self, text: str) -> Sequence[str]:
        """The services that are reached by exactly this, or by what it is another name for."""
        text = text.lower().rstrip(".").removeprefix("dualstack.")
        for _ in range(_ALIASES):
            if text in self.handles:
                return self.handles[text]
            if text not in self.aliases:
                break
            text = self.aliases[text].lower().rstrip(".").removeprefix("dualstack.")
        return next((self.handles[each] for each in _shorter(text) if each in self.handles), ())

    def called(self, value: str) -> list[tuple[str, bool]]:
        """The services that a value points to, each with whether that is only a guess."""
        text = value.strip().lower()[:_LONGEST]
        exact = self.at(text)
        if exact or text.startswith("arn:"):
            return [(name, False) for name in exact]
        if text in self.names and len(text) >= _SHORT:
            return [(self.names[text], False)]
        found: dict[str, bool] = {}
        for token in _BETWEEN.split(text):
            bare = token.strip(".-")
            is_host = "://" in text or "." in bare or ":" in text
            if is_host or len(bare) >= _SHORT:
                for name, guessed in self._hits(bare, is_host):
                    found[name] = found.get(name, True) and guessed
        return list(found.items())

    def _hits(self, bare: str, is_host: bool) -> list[tuple[str, bool]]:
        exact = self.at(bare)
        if exact:
            return [(name, False) for name in exact]
        if not is_host:
            return [(self.names[bare], False)] if bare in self.names else []
        label, _, rest = bare.partition(".")
        public = rest.rpartition(".")[2] in _PUBLIC and not rest.endswith("amazonaws.com")
        if label not in self.names or (public and label in _GENERIC):
            return []
        return [(self.names[label], public)]

    def named_in(self, path: str) -> str | None:
        """The service that a part of a path or an ARN is the name of: `/prod/orders-db/password`."""
        parts = [part for part in re.split(r"[/:]", path.lower()) if len(part) >= _SHORT and part not in _GENERIC]
        return next((self.names[part] for part in parts if part in self.names), None)


def _shorter(text: str) -> Iterator[str]:
    """The same ARN without what follows the thing itself: a version, a stream, an index, a key of a secret."""
    if not text.startswith("arn:"):
        return
    parts = text.split(":")
    for length in range(len(parts) - 1, 5, -1):
        yield ":".join(parts[:length])
    segments = text.split("/")
    for length in range(len(segments) - 1, 0, -1):
        yield "/".join(segments[:length])


def directory(found: Sequence[Found], aliases: Mapping[str, str]) -> Directory:
    names = {each.name.lower(): each.name for each in found}
    for each in found:
        for resource in each.resources:
            if resource.type is not R.log_group:
                names.setdefault(resource.name.lower(), each.name)
    handles: dict[str, list[str]] = {}
    for each in found:
        for handle in each.handles:
            if each.name not in handles.setdefault(handle, []):
                handles[handle].append(each.name)
    return Directory(handles, names, aliases)


def hosts_in(values: Iterable[str]) -> set[str]:
    """What looks like a host with a domain in these values."""
    found: set[str] = set()
    for value in values:
        for token in _BETWEEN.split(value.strip().lower()[:_LONGEST]):
            bare = token.strip(".-")
            if "." in bare and re.search(r"[a-z]", bare.rpartition(".")[2]):
                found.add(bare)
    return found

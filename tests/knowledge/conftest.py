"""A home with a folder of documents, and the memory of it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from runbook_bot.knowledge.config import KnowledgeSettings
from runbook_bot.knowledge.memory import KnowledgeBase

ROLLBACK = """\
---
title: Roll back a bad deployment
services: [checkout-api]
failure_modes: [bad_deployment]
---

# Roll back a bad deployment

## Symptoms

Errors begin within minutes of a release of a new revision.

## Steps

1. Find the revision before: `aws ecs describe-services`.
2. Ask for the rollback and have it approved.
3. Watch the error rate.
"""
CONNECTIONS = """\
# Database connections exhausted

## Symptoms

Clients log `too many clients already`; the pool of the database is empty.

## Mitigation

1. Find who holds the connections.
2. Restart that client.
"""
CERTIFICATE = """\
# Certificate expired

## Symptoms

TLS handshakes fail with x509 errors for every caller at once.

## Fix

1. Renew the certificate.
"""

Open = Callable[..., KnowledgeBase]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "runbooks"
    folder.mkdir(parents=True)
    for name, text in (("rollback.md", ROLLBACK), ("connections.md", CONNECTIONS), ("certificate.md", CERTIFICATE)):
        (folder / name).write_text(text)
    return tmp_path / "home"


@pytest.fixture
async def remember(home: Path) -> AsyncIterator[Open]:
    """Opens the memory of the home, as often as one likes, and closes all at the end."""
    opened: list[KnowledgeBase] = []

    def open_one(settings: KnowledgeSettings | None = None, at: Path = home, patience: float = 10.0) -> KnowledgeBase:
        opened.append(KnowledgeBase(settings or KnowledgeSettings(), at, patience=patience))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


@pytest.fixture
def memory(remember: Open) -> KnowledgeBase:
    return remember()

"""All operations, found in the modules of this package: each module lists its own in `OPERATIONS`."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache

from runbook_bot.providers.aws import operations as package
from runbook_bot.providers.aws.operations.operation import Operation

_NOT_OPERATIONS = ("operation", "register")


@cache
def operations() -> Sequence[type[Operation]]:
    """In the order of their kinds."""
    found: list[type[Operation]] = []
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in _NOT_OPERATIONS:
            listed = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "OPERATIONS", ())
            found += listed
    return tuple(sorted(found, key=lambda each: each.kind))

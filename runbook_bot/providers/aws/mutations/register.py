"""All changes, found in the modules of this package: each lists its own in `MUTATIONS`. Nothing else can be made."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from pydantic import ValidationError

from runbook_bot.domain.approval import Call
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws import mutations as package
from runbook_bot.providers.aws.mutations.mutation import AwsMutation

_NOT_CHANGES = ("command", "mutation", "register")


@cache
def mutations() -> Mapping[str, type[AwsMutation]]:
    """By operation, in its order."""
    found: dict[str, type[AwsMutation]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in _NOT_CHANGES:
            listed = importlib.import_module(f"{package.__name__}.{module.name}").MUTATIONS
            found |= {each.operation: each for each in listed}
    return MappingProxyType(dict(sorted(found.items())))


def mutation_of(call: Call) -> AwsMutation:
    """The typed change behind a call at rest. Raises `ProviderError` for what is not on the list or not well formed."""
    kind = mutations().get(call.operation)
    if kind is None:
        listed = ", ".join(mutations())
        raise ProviderError(f"{call.operation[:80]} is not a change that Runbook can make in AWS; these are: {listed}")
    try:
        return kind.model_validate(call.parameters)
    except ValidationError as error:
        wrong = ", ".join(".".join(str(part) for part in each["loc"]) or each["msg"] for each in error.errors())
        raise ProviderError(f"the parameters of {call.operation} are wrong: {wrong}") from error

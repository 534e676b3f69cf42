"""Operations as asked by somebody who waits for nothing: what AWS works on for a while is given up at once."""

from runbook_bot.providers.aws.operations.operation import Operation, Patience


def hasty(operation: type[Operation]) -> type[Operation]:
    """The same question, with hardly any patience."""
    return type(operation.__name__, (operation,), {"patience": Patience(0.02, 0.005), "__doc__": operation.__doc__})

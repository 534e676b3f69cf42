"""Every operation is documented, in words made of the operation itself."""

import pytest

from runbook_bot.providers.aws.operations.documentation import documented
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.register import operations


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
def test_it_has_a_row_with_its_sentence_and_its_permissions(operation: type[Operation]) -> None:
    (row,) = [each for each in documented() if each["kind"] == operation.kind]
    assert row["what"].endswith(".")
    assert "\n" not in row["what"]
    assert len(row["what"]) <= 160
    assert row["permissions"] == list(operation.permissions())
    assert all(":" in each for each in row["permissions"])
    assert set(row["arguments"]) == set(operation.model_fields)
    assert all(each["text"] for each in row["arguments"].values())


def test_rows_can_be_looked_for() -> None:
    kinds = [each["kind"] for each in documented(["hot", "keys"])]
    assert "aws.dynamodb.hot_keys" in kinds
    assert documented(["nothing has such a word"]) == []
    assert len(documented()) == len(operations())

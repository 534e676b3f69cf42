"""The two tables: `table`, which is drawn as it stands, and `data_table`, which sorts, filters and pages."""

from runbook_bot.playground.slack.blockkit.charts import finite
from runbook_bot.playground.slack.blockkit.composition import BLOCK_ID
from runbook_bot.playground.slack.blockkit.rich_text import RICH_TEXT
from runbook_bot.playground.slack.blockkit.rules import (
    Findings,
    Rule,
    boolean,
    by_type,
    integer,
    list_of,
    one_of,
    shape,
    string,
)

_CELLS: dict[str, Rule] = {
    "raw_text": shape({"text": string(shortest=1)}, type="raw_text"),
    "raw_number": shape({"value": finite}, {"text": string(shortest=1)}, type="raw_number"),
    "rich_text": RICH_TEXT,
}
_ROW = list_of(by_type(_CELLS), 20)


def _even_rows(table: object, at: str, findings: Findings) -> None:
    rows = table.get("rows") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list):
        return
    for index, row in enumerate(rows):
        if isinstance(row, list) and len(row) != len(rows[0]):
            findings.note(f"{at}/rows/{index}", f"must have {len(rows[0])} cells as the first row has")


def _plain_header(table: object, at: str, findings: Findings) -> None:
    rows = table.get("rows") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list):
        return
    for index, cell in enumerate(rows[0]):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            findings.note(f"{at}/rows/0/{index}/type", "unsupported type in a header row: rich_text")


TABLE = shape(
    {"rows": list_of(_ROW, 100)},
    {
        "block_id": BLOCK_ID,
        "column_settings": list_of(shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean}), 20),
    },
    [_even_rows],
    type="table",
)

DATA_TABLE = shape(
    {"caption": string(255, 1), "rows": list_of(_ROW, 101, 2)},
    {"block_id": BLOCK_ID, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
    [_even_rows, _plain_header],
    type="data_table",
)

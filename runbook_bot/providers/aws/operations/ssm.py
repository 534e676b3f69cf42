"""What can be asked of Parameter Store: everything about parameters but what they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import age_days, warned
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.secrecy import is_secret

_MOST_LISTED = 2000
_TYPED = "a"


class Parameters(Operation):
    """Parameters by name with version, who changed them when, and what is kept in the clear; never values."""

    kind: ClassVar[str] = "aws.ssm.parameters"
    service = "ssm"
    calls = ("DescribeParameters",)
    words = ("parameters", "parameter store", "which parameters changed", "who changed the parameter")

    prefix: str | None = Field(default=None, description="Only names that begin so, e.g. /prod/; none means all")
    changed_in: TimeWindow | None = Field(default=None, description="Only those changed then; none means whenever")

    async def answer(self, place: Place, now: datetime) -> Result:
        which: dict[str, Any] = {"MaxResults": 50}
        if self.prefix:
            which["ParameterFilters"] = [{"Key": "Name", "Option": "BeginsWith", "Values": [self.prefix]}]
        found = await place.gather("ssm", "DescribeParameters", "Parameters", _MOST_LISTED + 1, **which)
        rows = [_row(each, now) for each in found[:_MOST_LISTED] if self._meant(each)]
        rows.sort(key=lambda row: (warned(row), -(row.at.timestamp() if row.at else 0.0)))
        more = f"there are more than {_MOST_LISTED} parameters; give the beginning of a name"
        return self.table(
            place,
            rows,
            empty="no parameter was changed then" if found else "this region has no such parameter",
            more=more if len(found) > _MOST_LISTED else "",
            console=_link(place.region, self.prefix),
        )

    def _meant(self, parameter: Answer) -> bool:
        changed: datetime | None = parameter.get("LastModifiedDate")
        return self.changed_in is None or (changed is not None and self.changed_in.holds(changed))


def _row(parameter: Answer, now: datetime) -> Row:
    name, kind = str(parameter.get("Name", "?")), str(parameter.get("Type", "?"))
    rules: Sequence[Answer] = parameter.get("Policies") or []
    warnings: list[Any] = [
        f"its rule {each.get('PolicyType')} could not be kept" for each in rules if each.get("PolicyStatus") == "Failed"
    ]
    if kind != "SecureString" and is_secret(name.rpartition("/")[2], _TYPED):
        warnings.append("by its name a secret, but kept in the clear")
    return Row(
        name=name,
        at=parameter.get("LastModifiedDate"),
        facts={
            "warnings": warnings or None,
            "type": kind,
            "version": parameter.get("Version"),
            "changed_days_ago": age_days(parameter.get("LastModifiedDate"), now),
            "changed_by": str(parameter.get("LastModifiedUser") or "").rpartition(":")[2] or None,
            "tier": parameter.get("Tier"),
            "encrypted_with": parameter.get("KeyId"),
            "rules": ", ".join(str(each.get("PolicyType")) for each in rules) or None,
        },
    )


def _link(region: str, prefix: str | None) -> str:
    page = f"https://{console_host(region)}/systems-manager/parameters/?region={region}&tab=Table"
    return page + (f"#list_parameter_filters=Name:BeginsWith:{quote(prefix, safe='')}" if prefix else "")


OPERATIONS = (Parameters,)

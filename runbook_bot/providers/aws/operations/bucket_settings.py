"""What is set up for a bucket, in words: versions, lifecycle, replication, who is told of changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runbook_bot.domain.observation import Row
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer

_EVERYTHING = "everything"


def lifecycle_row(rule: Answer) -> Row:
    """One rule: of what, and what becomes of it when."""
    kept: list[str] = []
    for each in rule.get("Transitions") or []:
        kept.append(f"to {each.get('StorageClass')} after {_when(each)}")
    expiration: Answer = rule.get("Expiration") or {}
    if "Days" in expiration or "Date" in expiration:
        kept.append(f"deleted after {_when(expiration)}")
    old: Answer = rule.get("NoncurrentVersionExpiration") or {}
    if old:
        kept.append(f"old versions deleted after {old.get('NoncurrentDays', '?')} days")
    torn: Answer = rule.get("AbortIncompleteMultipartUpload") or {}
    if torn:
        kept.append(f"unfinished uploads dropped after {torn.get('DaysAfterInitiation', '?')} days")
    off = rule.get("Status") != "Enabled"
    return Row(
        name=f"lifecycle rule {rule.get('ID') or '?'}",
        facts={
            "warnings": ["it is switched off"] if off else None,
            "of": _of(rule),
            "what": "; ".join(kept) or "nothing",
        },
    )


def _when(told: Answer) -> str:
    return f"{told['Days']} days" if "Days" in told else str(told.get("Date", "?"))


def _of(rule: Answer) -> str:
    """What a rule is about: a prefix, a tag (its name alone), or everything."""
    told: Answer = rule.get("Filter") or {}
    both: Answer = told.get("And") or {}
    prefix = told.get("Prefix") or both.get("Prefix") or rule.get("Prefix")
    tags = [told["Tag"]] if told.get("Tag") else both.get("Tags") or []
    parts = [str(prefix)] if prefix else []
    parts += [f"objects tagged {each.get('Key')}" for each in tags]
    return " and ".join(parts) or _EVERYTHING


def replication_row(rule: Answer, levels: Mapping[str, float]) -> Row:
    """One rule: where to, and how far behind it is where it measures that."""
    to: Answer = rule.get("Destination") or {}
    warnings: list[Any] = ["it is switched off"] if rule.get("Status") != "Enabled" else []
    if levels.get("failed_operations"):
        warnings.insert(0, f"{levels['failed_operations']:g} operations failed within the last hour")
    if (rule.get("DeleteMarkerReplication") or {}).get("Status") == "Disabled":
        warnings.append("deletions are not carried over")
    return Row(
        name=f"replication rule {rule.get('ID') or '?'}",
        facts={
            "warnings": warnings or None,
            "of": _of(rule),
            "to": str(to.get("Bucket", "?")).rpartition(":")[2],
            "account": to.get("Account"),
            "storage_class": to.get("StorageClass"),
            **levels,
        },
    )


def versioning_row(answer: Answer) -> Row:
    """Whether what is overwritten or deleted can be had back."""
    state = str(answer.get("Status") or "off")
    return Row(
        name="versions",
        facts={
            "warnings": None if state == "Enabled" else ["what is overwritten or deleted is lost"],
            "state": state.lower(),
            "deleting_needs_second_factor": answer.get("MFADelete") == "Enabled",
        },
    )


def notification_rows(answer: Answer) -> list[Row]:
    """Who is told of which changes."""
    kinds = (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueArn"),
        ("TopicConfigurations", "TopicArn"),
    )
    found = [
        Row(
            name=f"tells {str(each.get(key, '?')).split(':', 5)[-1]}",
            facts={"of": names(each.get("Events") or []), "where": names(_filters(each)) or None},
        )
        for group, key in kinds
        for each in answer.get(group) or []
    ]
    if "EventBridgeConfiguration" in answer:
        found.append(Row(name="tells EventBridge", facts={"of": _EVERYTHING}))
    return found


def _filters(told: Answer) -> Iterable[str]:
    rules: Sequence[Answer] = ((told.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    for each in rules:
        yield f"{str(each.get('Name', '?')).lower()} {each.get('Value', '')}"

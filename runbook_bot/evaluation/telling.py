"""The examination in words: a line a case while it goes on, and the table at the end."""

from collections.abc import Mapping, Sequence

from runbook_bot.evaluation.marking import Mark
from runbook_bot.evaluation.scoring import Number
from runbook_bot.evaluation.worlds.dice import Part


def progress(done: int, of: int, mark: Mark) -> str:
    """What was asked and answered, or, of the unseen part, only that it was."""
    place = f"[{done:>{len(str(of))}}/{of}]"
    if mark.part == Part.unseen:
        return f"{place} unseen"
    what = "failed" if mark.problem else "right" if mark.right else "wrong" if mark.named else "inconclusive"
    return f"{place} {what:<12} {mark.id}  {mark.seconds:.1f} s"


def table(parts: Mapping[str, Mapping[str, Number]]) -> str:
    """A row a measure, a column a part."""
    names = next(iter(parts.values())).keys()
    width = max(len(name) for name in names)
    head = " " * width + "".join(f"  {part:>24}" for part in parts)
    rows = [
        f"{name:<{width}}" + "".join(f"  {_cell(numbers[name]):>24}" for numbers in parts.values()) for name in names
    ]
    return "\n".join([head, *rows])


def _cell(number: Number) -> str:
    if number.value is None:
        return "-"
    return f"{number.value:.3f} [{number.low:.3f}, {number.high:.3f}]"


def mistakes(marks: Sequence[Mark]) -> list[str]:
    """The seen part's wrong answers, surest first; of the unseen part nothing is told."""
    wrong = [m for m in marks if m.part == Part.seen and not m.right]
    return [_mistake(m) for m in sorted(wrong, key=lambda m: (not m.named, -m.confidence))]


def _mistake(mark: Mark) -> str:
    if mark.problem:
        return f"{mark.id}: failed: {mark.problem}"
    got = f"{mark.got}@{mark.got_service} ({mark.confidence:.2f})" if mark.named else "inconclusive"
    wanted = f"{mark.mode}@{mark.service or '-'}" if mark.answerable else "inconclusive"
    return f"{mark.id}: {got}, wanted {wanted}"

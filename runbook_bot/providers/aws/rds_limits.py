"""How many connections a database takes: RDS's formulas, and the memory of its instance classes."""

import re

_GIB = 1024**3
_SMALL = {"micro": 1.0, "small": 2.0, "medium": 4.0, "large": 8.0, "xlarge": 16.0, "2xlarge": 32.0}
_PER_XLARGE = {"m": 16.0, "r": 32.0, "x": 64.0, "z": 32.0, "c": 8.0, "t": 16.0}
_SIZES = {"medium": 0.25, "large": 0.5, "xlarge": 1.0}
_FORMULA = re.compile(r"\{?\s*DBInstanceClassMemory\s*/\s*(\d+)\s*\}?")
_LEAST = re.compile(r"LEAST\((.+),\s*(\d+)\s*\)", re.IGNORECASE)
_GREATEST = re.compile(r"GREATEST\((.+),\s*(\d+)\s*\)", re.IGNORECASE)
_POSTGRES, _MYSQL, _POSTGRES_MOST = 9_531_392, 12_582_880, 5000
"""From the RDS guide, "Quotas and constraints": LEAST({DBInstanceClassMemory/9531392},5000) and
{DBInstanceClassMemory/12582880}."""


def class_memory(instance_class: str) -> float | None:
    """Bytes of memory of a class such as `db.t3.medium`; None for one that the families' rule does not give."""
    parts = instance_class.removeprefix("db.").split(".")
    if len(parts) != 2 or not parts[0]:
        return None
    family, size = parts
    letter = family[0]
    if letter == "t":
        gib = _SMALL.get(size)
        return None if gib is None else gib * _GIB
    per = _PER_XLARGE.get("x" if family.startswith("x") else letter)
    count = re.fullmatch(r"(\d+)xlarge", size)
    share = float(count.group(1)) if count else _SIZES.get(size)
    return None if per is None or share is None else per * share * _GIB


def evaluated(value: str, instance_class: str) -> int | None:
    """A parameter's value as a number: plain, or a formula over the memory of the class."""
    text = value.strip()
    if text.isdecimal():
        return int(text)
    for pattern, choose in ((_LEAST, min), (_GREATEST, max)):
        bounded = pattern.fullmatch(text)
        if bounded:
            inner = evaluated(bounded.group(1), instance_class)
            return None if inner is None else choose(inner, int(bounded.group(2)))
    formula = _FORMULA.fullmatch(text)
    memory = class_memory(instance_class)
    return int(memory // int(formula.group(1))) if formula and memory is not None else None


def default_max_connections(engine: str, instance_class: str) -> int | None:
    """What the engine takes where no parameter group says otherwise."""
    memory = class_memory(instance_class)
    if memory is None or engine.startswith("aurora"):
        return None
    if engine.startswith("postgres"):
        return min(int(memory // _POSTGRES), _POSTGRES_MOST)
    if engine.startswith(("mysql", "mariadb")):
        return int(memory // _MYSQL)
    return None


def class_vcpus(instance_class: str) -> int | None:
    """Virtual processors of a class such as `db.r6g.2xlarge`; None for one that the families' rule does not give."""
    parts = instance_class.removeprefix("db.").split(".")
    if len(parts) != 2 or not parts[0]:
        return None
    family, size = parts
    if family.startswith("t") and size in ("micro", "small", "medium"):
        return 1 if family == "t2" and size != "medium" else 2
    count = re.fullmatch(r"(\d+)xlarge", size)
    return 4 * int(count.group(1)) if count else {"medium": 1, "large": 2, "xlarge": 4}.get(size)


def volume_limits(storage_type: str, gib: int, engine: str) -> tuple[int | None, int | None]:
    """Operations and MiB per second that a volume sustains where nothing else was provisioned; None: not known.

    From the RDS guide, "Amazon RDS DB instance storage": gp3 from 400 GiB on (Oracle: 200) has four volumes.
    """
    if storage_type == "gp2":
        return min(max(3 * gib, 100), 64_000), None
    if storage_type == "gp3":
        striped = gib >= (200 if engine.startswith("oracle") else 400) and not engine.startswith("sqlserver")
        return (12_000, 500) if striped else (3_000, 125)
    return None, None

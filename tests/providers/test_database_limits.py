"""What a database's class and volume can do, as the documentation has it."""

import pytest

from runbook_bot.providers.aws.rds_limits import class_vcpus, volume_limits


@pytest.mark.parametrize(
    ("instance_class", "vcpus"),
    [
        ("db.t2.micro", 1),
        ("db.t2.medium", 2),
        ("db.t3.micro", 2),
        ("db.t4g.xlarge", 4),
        ("db.m5.large", 2),
        ("db.r6g.16xlarge", 64),
        ("db.serverless", None),
        ("db.r7i.metal-24xl", None),
        ("", None),
    ],
)
def test_processors_of_a_class(instance_class: str, vcpus: int | None) -> None:
    assert class_vcpus(instance_class) == vcpus


@pytest.mark.parametrize(
    ("storage", "gib", "engine", "limits"),
    [
        ("gp2", 20, "postgres", (100, None)),
        ("gp2", 1000, "mysql", (3000, None)),
        ("gp2", 64_000, "mysql", (64_000, None)),
        ("gp3", 399, "postgres", (3_000, 125)),
        ("gp3", 400, "postgres", (12_000, 500)),
        ("gp3", 200, "oracle-ee", (12_000, 500)),
        ("gp3", 5000, "sqlserver-se", (3_000, 125)),
        ("io1", 400, "postgres", (None, None)),
        ("standard", 400, "mysql", (None, None)),
    ],
)
def test_what_a_volume_sustains(storage: str, gib: int, engine: str, limits: tuple[int | None, int | None]) -> None:
    assert volume_limits(storage, gib, engine) == limits

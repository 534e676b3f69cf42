"""A policy in words, and what a reviewer objects to."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from runbook_bot.providers.aws.operations.policies import in_words, may_allow, public, statements, warnings


def _allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", **more}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (_allow(Principal="*"), "allows anybody s3:GetObject on arn:aws:s3:::site/*"),
        (_allow(Principal={"AWS": "arn:aws-cn:iam::12:role/dienst/ünï"}),
         "allows role dienst/ünï of account 12 s3:GetObject on arn:aws:s3:::site/*"),
        (_allow(Principal={"AWS": ["12", "arn:aws:iam::34:root"], "Service": "logs.amazonaws.com"}, Resource="*"),
         "allows account 12, account 34, service logs.amazonaws.com s3:GetObject on everything"),
        ({"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "x"},
         "denies everything but iam:* on everything but x"),
        (_allow(Condition={"StringEquals": {"aws:Referer": "hunter2", "sts:ExternalId": "hunter3"}}),
         "allows s3:GetObject on arn:aws:s3:::site/* (if aws:Referer fits; if sts:ExternalId fits)"),
        (_allow(Condition={"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}),
         "allows s3:GetObject on arn:aws:s3:::site/* (not only from 10.0.0.0/8)"),
    ],
)  # fmt: skip
def test_a_statement_in_words(statement: dict[str, Any], words: str) -> None:
    assert in_words(statement) == words


@pytest.mark.parametrize(
    ("statement", "objection"),
    [
        (_allow(Action="*", Resource="*"), "may do everything"),
        (_allow(Action=["s3:*", "sqs:*"], Resource="*"), "may do everything in s3, sqs"),
        (_allow(Action=["iam:PassRole"], Resource=["*"]), "can give itself more rights: iam:PassRole on everything"),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "allows everything but iam:*"),
        (_allow(Principal={"AWS": "*"}), "anybody may use it, without a condition"),
    ],
)
def test_what_a_reviewer_objects_to(statement: dict[str, Any], objection: str) -> None:
    assert warnings([statement, {"Effect": "Deny", "Action": "*", "Resource": "*"}]) == [objection]


def test_nothing_to_object_to() -> None:
    assert warnings([_allow(), _allow(Action="s3:*"), _allow(Principal="*", Condition={"Bool": {"x": "true"}})]) == []
    assert not public({"Effect": "Deny", "Principal": "*"})


def test_however_a_policy_comes() -> None:
    document = {"Statement": _allow()}
    for form in (document, json.dumps(document), quote(json.dumps(document))):
        assert statements(form) == [_allow()]
    assert statements("nonsense") == statements(None) == statements("[1]") == []


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("s3:*", "s3:GetObject", True),
        ("*", "s3:GetObject", True),
        ("S3:get*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObjectAcl", False),
        ("s3:Put*", "s3:GetObject", False),
        ("*" * 40 + "x", "a" * 40, False),
    ],
)
def test_which_actions_a_wildcard_covers(pattern: str, action: str, covered: bool) -> None:
    assert may_allow({"Effect": "Allow", "Action": pattern}, action) is covered
    assert may_allow({"Effect": "Allow", "NotAction": pattern}, action) is not covered
    assert not may_allow({"Effect": "Deny", "Action": pattern}, action)

"""Whatever text of AWS holds a secret, in whichever field, none comes out of an answer once it is redacted."""

import json
import os
import random
from typing import Any

import pytest

from runbook_bot.investigation.world import redacted
from runbook_bot.providers.aws.operations.operation import Operation, answered
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.threads import Threads
from tests.providers.conftest import NOW
from tests.providers.operations.babble import Babble
from tests.providers.operations.hasty import hasty
from tests.providers.operations.test_any_answer import made

_ROUNDS = int(os.environ.get("EXAMPLES", "3"))
"""Of each operation; more where somebody looks for trouble."""
_BEGIN, _END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
SECRETS = {
    "aws keys": ("id AKIAIOSFODNN7EXAMPLE, and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUt", "AKIAIOSF"),
    "slack bot token": ("uses xoxb-123456789012-abcdefHUNTER2", "xoxb-1234"),
    "slack app token": ("uses xapp-1-A0123456789-HUNTER2abcdef", "xapp-1-A"),
    "jwt": ("cookie eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.SflKxwRJSMeKKF2QT4fwpM", "eyJhbGci", "eyJzdWIi"),
    "model key": ("uses sk-ant-HUNTER2HUNTER2HUNTER2", "sk-ant-H"),
    "forge token": ("clone with ghp_HUNTER2HUNTER2HUNTER2HUNTER2", "ghp_HUNT"),
    "password in an address": ("see postgres://shop:hunter2address@db.internal:5432/orders", "hunter2address"),
    "authorization header": ('curl -H "Authorization: Basic aHVudGVyMmh1bnRlcjI="', "aHVudGVyMm"),
    "bearer": ("sends bearer HUNTER2bearerHUNTER2", "HUNTER2bearer"),
    "password in json": ('{"db": {"password": "hunter2json"}}', "hunter2json"),
    "key and value": ("starts with --mode=x&api_key=hunter2pair&y=z", "hunter2pair"),
    "password in yaml": ("password: hunter2yaml", "hunter2yaml"),
    "private key": (f"{_BEGIN}\nMIIEpAIBAAKCAQEAhunter2pem\nqwertyuiop\n{_END}", "hunter2pem", "qwertyuiop"),
}
"""By kind: a text that holds one, and what of it must not be seen."""
_NAMED = "hunter2byname"
"""Looks like nothing; only the name beside it tells."""
_LABELS = ("name", "key", "Name", "Key", "ParameterKey", "ParameterName", "HeaderName", "OutputKey")
_POLICIES = ("Policy", "policy", "PolicyDocument", "ResourcePolicy", "AssumeRolePolicyDocument", "Document")
_NO_TEXT = ("Arn", "ARN", "Arns", "ARNs", "Id", "ID", "Ids", "arn", "LastModifiedUser", "ResourceIdentifier",
            "Version", "Sha256", "Bucket", "Token", "Marker")  # fmt: skip
"""What AWS gives names to by itself, and nobody can write a secret into."""


class Leaky(Babble):
    """Every text that people can write holds a secret, and some are values of what is named like one."""

    def _made_up(self, shape: Any, depth: int, odd: bool) -> Any:
        if shape.type_name == "structure" and depth > 0 and not shape.is_tagged_union:
            told = {name: self._member(name, member, depth) for name, member in shape.members.items()}
            label = next((each for each in _LABELS if each in told), None)
            value = next((each for each in ("value", "Value", "ParameterValue", "HeaderValue") if each in told), None)
            plain = label and value and "Type" not in told and not shape.members[label].enum
            if plain and self.chance.random() < 0.5:
                told |= {str(label): "DB_PASSWORD", str(value): _NAMED}
            return told
        if shape.type_name == "map" and shape.value.type_name == "string" and not shape.key.enum:
            return {"DB_PASSWORD": _NAMED, "note": self.secret()}
        if shape.type_name == "list" and depth > 0:
            return [self._made_up(shape.member, depth - 1, odd)]
        if shape.type_name == "blob":
            return self.secret().encode() if not odd else ""
        if shape.type_name == "string" and not shape.enum:
            return self.secret()
        return super()._made_up(shape, depth, odd)

    def _member(self, name: str, shape: Any, depth: int) -> Any:
        if shape.type_name == "string" and not shape.enum:
            if name in _POLICIES:
                return self._policy()
            if name.endswith(_NO_TEXT):
                return None if name.endswith(("Token", "Marker")) else f"arn:aws:x:us-east-1:1:thing/{name}"
        if shape.type_name == "list" and shape.member.type_name == "string" and name.endswith(_NO_TEXT):
            return [f"arn:aws:x:us-east-1:1:thing/{name}"]
        return self._made_up(shape, depth - 1, odd=False)

    def _policy(self) -> str:
        statement = {
            "Sid": self.secret(), "Effect": "Allow", "Principal": {"AWS": self.secret()}, "Action": self.secret(),
            "Resource": self.secret(), "Condition": {"StringEquals": {"aws:Referer": _NAMED, "x": self.secret()}},
        }  # fmt: skip
        return json.dumps({"Statement": [statement]})

    def secret(self) -> str:
        """Now and then behind so much text that an answer is cut within it."""
        text = self.chance.choice(list(SECRETS.values()))[0]
        length = self.chance.choice((0, 0, 0, 190, 390, 990)) - self.chance.randrange(12)
        return "x " * (max(length, 0) // 2) + text


@pytest.fixture(scope="module")
def leaky() -> Leaky:
    return Leaky(random.Random(), odd=0, gaps=0)  # noqa: S311  # its answers are to be made up again, not kept secret


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
async def test_no_secret_comes_out(operation: type[Operation], leaky: Leaky, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers in the shape of the service models."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    threads = Threads(8)
    for seed in range(_ROUNDS):
        leaky.chance.seed(f"{operation.kind} {seed}")
        question = made(hasty(operation), leaky.chance)
        result = redacted(await answered(question, Place("us-east-1", leaky, threads, None), NOW))
        told = result.model_dump_json()
        hidden = [each for text, *needles in SECRETS.values() for each in needles] + [_NAMED]
        out = {each: told[max(0, told.index(each) - 150) :][:200] for each in hidden if each in told}
        assert out == {}, f"{seed} {question!r}"

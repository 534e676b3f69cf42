"""Secrets are taken out of every text before it is logged, shown, stored or sent on; this is where.

Pure and idempotent: each secret becomes a placeholder that names its kind and tells nothing of its value.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

_SENSITIVE = (
    r"password|passwd|passphrase|pwd|secret|token|credential|"
    r"api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|signing[_-]?key|auth[_-]?key"
)
_SENSITIVE_NAME = re.compile(rf"(?:{_SENSITIVE})s?$", re.IGNORECASE)


def _mark(kind: str) -> str:
    return f"[redacted {kind}]"


_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.S
        ),
        _mark("private key"),
    ),
    (re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}"), _mark("slack token")),
    (re.compile(r"\bxapp-[A-Za-z0-9-]{8,}"), _mark("slack token")),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"), _mark("jwt")),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"), _mark("api key")),
    (
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
        _mark("token"),
    ),
    # user:password@ of an address; a password may itself hold "@" or ":", so the last "@" before the path counts
    (re.compile(r"(://[^\s:/?#@\[]{0,200}):(?!\[redacted )[^\s/?#]{1,400}@"), rf"\1:{_mark('password')}@"),
    # the whole header: a signature of AWS has several comma-separated parts
    (
        re.compile(r"(\b(?:proxy-)?authorization[\"']?\s{0,3}+[:=]\s{0,3}+[\"']?)(?!\[redacted )[^\r\n\"']+", re.I),
        rf"\1{_mark('authorization')}",
    ),
    (re.compile(r"\b(bearer\s{1,3})[A-Za-z0-9._~+/=-]{12,}", re.I), rf"\1{_mark('token')}"),
    # "password": "…" and password='…', also where the whole is a text within JSON: \\"password\\": \\"…\\"
    (
        re.compile(
            rf"((?:{_SENSITIVE})s?(?:\\{{0,4}}[\"'])?\s{{0,3}}+[:=]\s{{0,3}}+)(\\{{0,4}}[\"'])"
            r"(?!\[redacted )[^\"'\r\n]+?\2",
            re.I,
        ),
        r"\1\2[redacted value]\2",
    ),
    # password=…, token:…, &api_key=…
    (
        re.compile(
            # behind the account of an ARN there is the name of a secret, which is none
            rf"((?:{_SENSITIVE})s?\s{{0,3}}+=\s{{0,3}}+|(?:{_SENSITIVE})s?:(?<!\d{{12}}:secret:))"
            r"(?!\[redacted )[^\s,;&\"')\]}]+",
            re.I,
        ),
        r"\1[redacted value]",
    ),
    # "password: …" always; "token: …" only where what follows is no plain word, as in "ExpiredToken: The security …"
    (
        re.compile(r"((?:password|passwd|passphrase|pwd):\s{1,3}+)(?!\[redacted )[^\s,;&\"')\]}]+", re.I),
        r"\1[redacted value]",
    ),
    (
        re.compile(
            rf"((?:{_SENSITIVE})s?:\s{{1,3}}+)(?!\[redacted )(?=[^\s,;&\"']{{0,80}}[0-9])[^\s,;&\"')\]}}]{{6,}}", re.I
        ),
        r"\1[redacted value]",
    ),
)

_SPELLED = re.compile(r"://[^\s%]{0,400}%[0-9A-Fa-f]{2}")
_STARTS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_BODY = re.compile(r"\s{0,20}(?:[A-Za-z0-9+/]{1,200}={0,2}|(?:Proc-Type|DEK-Info): .{0,200})?\s{0,20}")
"""What a line within a private key looks like: base64, or a header."""
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])(?=[^\s]*[A-Z])(?=[^\s]*[a-z])(?=[^\s]*[0-9])[A-Za-z0-9/+]{40,}")
_BEGINS = re.compile(
    r"pass|pwd|secret|token|credential|key|xox|xapp-|eyJ|sk-|gh[pousr]_|github_pat_|glpat-|@|auth|bearer|AKIA|ASIA",
    re.I,
)


def redact(text: str) -> str:
    """The text with every known kind of secret replaced by its placeholder."""
    clean = _without_secrets(text)
    if "%" not in clean or not _SPELLED.search(clean):
        return clean
    spelled = unquote(clean)  # an address may hold a secret in percent signs: then it is spelled out without it
    told = _without_secrets(spelled)
    return clean if told == spelled else told


def _without_secrets(text: str) -> str:
    if not _BEGINS.search(text):
        return text
    if _AWS_KEY_ID.search(text):  # forty characters are a secret only beside a key id: alone they may be a checksum
        text = _AWS_SECRET.sub(_mark("aws secret"), _AWS_KEY_ID.sub(_mark("aws key"), text))
    for pattern, replacement in _TEXT:
        text = pattern.sub(replacement, text)
    return text


def sensitive(name: str) -> bool:
    """Whether a field of that name holds a secret: `DB_PASSWORD`, `environment.api_key`, `SecretAccessKey`."""
    return bool(_SENSITIVE_NAME.search(name)) or name.casefold() in ("authorization", "cookie", "set-cookie")


def redact_json(value: Any) -> Any:
    """The same JSON value with secrets replaced: whole values under sensitive names, texts everywhere else."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        named = _named_value(value)
        return {
            redact(str(key)): _mark("value") if key == named else _redact_field(str(key), each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_json(each) for each in value]
    return value


def redact_lines(texts: Iterable[str]) -> list[str]:
    """Each of the lines that follow one another, with the secrets replaced that go over several of them: keys."""
    found: list[str] = []
    inside = False
    for text in texts:
        dashed = "-----" in text
        begins, ends = (_STARTS.search(text), _ENDS.search(text)) if dashed else (None, None)
        if ends is not None and begins is None:
            if not inside:  # its beginning was cut off: what is right before the end was in it too
                _hide_backwards(found)
            found.append(_mark("private key") + redact(text[ends.end() :]))
        elif inside and begins is None and _BODY.fullmatch(text):
            found.append(_mark("private key"))
            continue
        else:
            found.append(redact(text))
        cut = text.rstrip().endswith(_mark("private key"))  # somebody has taken out the first line before
        inside = cut or (begins is not None and not _ENDS.search(text, begins.end()))
    return found


def _hide_backwards(lines: list[str]) -> None:
    for index in range(len(lines) - 1, -1, -1):
        if not lines[index].strip() or not _BODY.fullmatch(lines[index]):
            return
        lines[index] = _mark("private key")


def _named_value(told: Mapping[str, Any]) -> str | None:
    """The field that holds what another one beside it names, as in `{"Key": "DB_PASSWORD", "Value": …}`."""
    for label, value in (("name", "value"), ("key", "value"), ("Name", "Value"), ("Key", "Value")):
        if sensitive(str(told.get(label, ""))) and isinstance(told.get(value), str):
            return value
    return None


def _redact_field(name: str, value: Any) -> Any:
    if sensitive(name) and isinstance(value, str | int | float) and not isinstance(value, bool):
        return _mark("value")
    return redact_json(value)

"""Names and values of DNS records, as Route 53 writes them and as people do."""

import re

_OCTAL = re.compile(r"\\(\d{3})")
_ALWAYS_PUBLIC = re.compile(r'^"?v=(?:spf1|DMARC1)\b', re.IGNORECASE)
_KEPT = 64


def dns_name(name: str) -> str:
    """A name as Route 53 keeps it: lower case, international labels encoded, a dot at its end."""
    host = name.strip().partition("://")[2] or name.strip()
    labels = host.partition("/")[0].rstrip(".").split(".")
    return ".".join(_label(each) for each in labels).lower() + "."


def _label(text: str) -> str:
    try:
        return text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:  # no name of the DNS; it is looked for as it is, and is not there
        return text


def spoken(name: str) -> str:
    """A name as people write it: `\\052.example.com.` is `*.example.com`."""
    plain = _OCTAL.sub(lambda found: chr(int(found[1], 8)), name).rstrip(".")
    labels = []
    for each in plain.split("."):
        try:
            labels.append(each.encode("ascii").decode("idna") if each.startswith("xn--") else each)
        except UnicodeError:
            labels.append(each)
    return ".".join(labels)


def within(name: str, zone: str) -> bool:
    """Whether a zone answers for a name; both as `dns_name` gives them."""
    return name == zone or name.endswith("." + zone)


def value(kind: str, text: str) -> str:
    """A record's value; of a text record what anybody may know, for such records often hold tokens."""
    if kind not in ("TXT", "SPF") or _ALWAYS_PUBLIC.match(text):
        return text
    plain = text.strip('"')
    label, found, rest = plain.partition("=")
    if found and len(label) <= _KEPT and " " not in label:
        return f"{label}=… ({len(rest)} characters)"
    return f"{len(plain)} characters"

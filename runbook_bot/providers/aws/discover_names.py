"""Discovers other names of hosts in Route 53: aliases and canonical names, in the zones that somebody points into."""

import asyncio
from collections.abc import Collection

from runbook_bot.providers.aws.looking import Looking

MOST_ZONES = 500
MOST_ASKED = 20
MOST_RECORDS = 3000


async def aliases(look: Looking, hosts: Collection[str]) -> dict[str, str]:
    """What each host is another name for. Raises `CallFailed` where the zones cannot be listed."""
    if not hosts:
        return {}
    zones = await look.listed("route53", "ListHostedZones", "HostedZones", MOST_ZONES)
    named = [(str(each.get("Name", "")).rstrip(".").lower(), str(each.get("Id", ""))) for each in zones]
    meant = [(name, id) for name, id in named if any(host == name or host.endswith(f".{name}") for host in hosts)]
    if len(meant) > MOST_ASKED:
        look.unseen.append(f"Route 53: only {MOST_ASKED} of {len(meant)} zones were read")
    told = await asyncio.gather(
        *(look.part(f"records of {name}", _records(look, id), {}) for name, id in meant[:MOST_ASKED])
    )
    return {name: target for part in told for name, target in part.items()}


async def _records(look: Looking, zone: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in await look.listed(
        "route53", "ListResourceRecordSets", "ResourceRecordSets", MOST_RECORDS, HostedZoneId=zone
    ):
        name = str(each.get("Name", "")).rstrip(".").lower()
        if each.get("AliasTarget"):
            found[name] = str(each["AliasTarget"].get("DNSName", "")).rstrip(".").lower()
        elif each.get("Type") == "CNAME" and each.get("ResourceRecords"):
            found[name] = str(each["ResourceRecords"][0].get("Value", "")).rstrip(".").lower()
    return found

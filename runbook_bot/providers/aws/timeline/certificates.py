"""Certificates of load balancers: which expired, were renewed or were replaced within the window."""

import asyncio
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.elb import load_balancer
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_MOST = 5
_REMEMBERED_SECONDS = 600.0


async def _tell(scene: Scene) -> Told:
    told = Told()
    for resource in scene.of(R.load_balancer):
        try:
            found = await certificates_of(scene.place, resource.name)
        except CallFailed as failure:
            told.failures += absent(failure, scene)
            continue
        told.claims += [claim for each in found for claim in _claims(scene, resource, each)]
    return told


async def certificates_of(place: Place, name: str) -> list[Answer]:
    """The certificates of ACM that the listeners of a load balancer show. Raises `CallFailed`."""

    async def look() -> list[Answer]:
        arn = (await load_balancer(place, name)).get("LoadBalancerArn")
        listeners = await place.gather("elbv2", "DescribeListeners", "Listeners", 50, LoadBalancerArn=arn)
        arns = [str(c.get("CertificateArn")) for each in listeners for c in each.get("Certificates") or []]
        wanted = [each for each in dict.fromkeys(arns) if ":acm:" in each][:_MOST]
        told = await asyncio.gather(*(place.call("acm", "DescribeCertificate", CertificateArn=each) for each in wanted))
        return [each.get("Certificate") or {} for each in told]

    return await place.recall(("certificates", name), _REMEMBERED_SECONDS, look)


def _claims(scene: Scene, resource: Resource, certificate: Answer) -> list[Claim]:
    domain = certificate.get("DomainName") or "?"
    renewal = certificate.get("RenewalSummary") or {}
    imported = certificate.get("Type") == "IMPORTED"
    moments: tuple[tuple[str, datetime | None, ChangeKind], ...] = (
        ("expired", certificate.get("NotAfter"), "vendor"),
        ("was imported again", certificate.get("ImportedAt") if imported else None, "configuration"),
        ("was issued", certificate.get("IssuedAt"), "vendor"),
        (f"renewal: {renewal.get('RenewalStatus')}", renewal.get("UpdatedAt"), "vendor"),
        ("was revoked", certificate.get("RevokedAt"), "vendor"),
    )
    through = f"certificate {domain}"
    return [
        Claim(
            Change(
                at=utc(at),
                kind=kind,
                summary=f"certificate of {domain}, used by {resource.name}, {said}",
                actor="" if kind == "configuration" else "ACM",
                resource=resource,
                after={"valid_until": f"{utc(certificate['NotAfter']):%Y-%m-%d}"}
                if certificate.get("NotAfter")
                else {},
                through=through,
            ),
            depth=2,
        )
        for said, at, kind in moments
        if at is not None and scene.window.holds(utc(at))
    ]


SOURCE = Source(
    ("elbv2.DescribeListeners", "acm.DescribeCertificate"), lambda scene: bool(scene.of(R.load_balancer)), _tell
)

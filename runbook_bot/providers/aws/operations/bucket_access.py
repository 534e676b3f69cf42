"""Whether anybody outside can reach a bucket: what the account and the bucket block, its policy, its access list."""

from dataclasses import dataclass, field
from typing import Any

from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.telling import names, there
from runbook_bot.providers.aws.place import Answer, Place

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_GROUPS = {"AllUsers": "anybody", "AuthenticatedUsers": "anybody with any AWS account"}
_RIGHTS = {"READ": "list it", "WRITE": "write into it", "FULL_CONTROL": "do everything with it",
           "READ_ACP": "read its access list", "WRITE_ACP": "change its access list"}  # fmt: skip
_UNREAD: Answer = {"unread": True}


@dataclass
class Access:
    """What lets people in, and what keeps them out. None: could not be read."""

    account_blocks: Answer | None
    blocks: Answer | None
    public_policy: bool | None
    grants: list[Answer] | None
    failures: list[CallFailed] = field(default_factory=list)

    def blocked(self, block: str) -> bool:
        """Whether the account or the bucket keeps that way shut."""
        return bool((self.account_blocks or {}).get(block) or (self.blocks or {}).get(block))

    def in_words(self) -> str:
        """Who outside the account can reach it."""
        shut = []
        if self.public_policy:
            if not self.blocked("RestrictPublicBuckets"):
                return "anybody, by its policy" + self._unless()
            shut.append("its policy is public, but public access is blocked")
        for who, right in self._public_grants():
            if not self.blocked("IgnorePublicAcls"):
                return f"{who} may {right}, by its access list{self._unless()}"
            shut.append(f"its access list lets {who} {right}, but public access is blocked")
        if self.public_policy is None or self.grants is None:
            return "not known: not all of it could be read"
        return shut[0] if shut else "nobody outside, but for whom its policy names"

    def _unless(self) -> str:
        unread = self.account_blocks is None or self.blocks is None
        return ", unless a block that could not be read keeps them out" if unread else ""

    def warnings(self) -> list[Any]:
        """What a reviewer would object to."""
        said = self.in_words()
        found: list[Any] = ["open to " + said] if said.startswith("anybody") else []
        if self.blocks is not None and not all(self.blocked(each) for each in _BLOCKS):
            found.append(
                "public access is not blocked: " + names(e for e in _BLOCKS if not self.blocked(e)) + " is off"
            )
        return found

    def _public_grants(self) -> list[tuple[str, str]]:
        found = []
        for each in self.grants or []:
            group = str((each.get("Grantee") or {}).get("URI", "")).rpartition("/")[2]
            if group in _GROUPS:
                right = str(each.get("Permission"))
                found.append((_GROUPS[group], _RIGHTS.get(right, right)))
        return found


async def account_blocks(place: Place, failures: list[CallFailed]) -> Answer | None:
    """The account's own blocks; empty where it has none, None where they could not be read."""
    try:
        account = (await place.identity()).account
    except CallFailed as failure:
        failures.append(failure)
        return None
    none: Answer = {}
    look = place.call("s3control", "GetPublicAccessBlock", AccountId=account)
    answer = await there(failures, look, none, _UNREAD)
    return None if answer is _UNREAD else answer.get("PublicAccessBlockConfiguration") or {}


async def bucket_access(place: Place, bucket: str, of_account: Answer | None) -> Access:
    """Each part by itself: who may read one may well not read another."""
    failures: list[CallFailed] = []
    none: Answer = {}
    blocks = await there(failures, place.call("s3", "GetPublicAccessBlock", Bucket=bucket), none, _UNREAD)
    policy = await there(failures, place.call("s3", "GetBucketPolicyStatus", Bucket=bucket), none, _UNREAD)
    acl = await there(failures, place.call("s3", "GetBucketAcl", Bucket=bucket), none, _UNREAD)
    return Access(
        of_account,
        None if blocks is _UNREAD else blocks.get("PublicAccessBlockConfiguration") or {},
        None if policy is _UNREAD else bool((policy.get("PolicyStatus") or {}).get("IsPublic")),
        None if acl is _UNREAD else list(acl.get("Grants") or []),
        failures,
    )


def encryption_in_words(answer: Answer) -> str:
    """E.g. `aws:kms, key alias/logs`."""
    rules = (answer.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    default: Answer = (rules[0] if rules else {}).get("ApplyServerSideEncryptionByDefault") or {}
    key = str(default.get("KMSMasterKeyID") or "")
    return str(default.get("SSEAlgorithm") or "none") + (f", key {key.rpartition(':')[2]}" if key else "")

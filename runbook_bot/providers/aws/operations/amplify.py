"""What can be asked of Amplify."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 200
_BRANCHES = 50
_LOOKED_INTO = 50
_JOBS = 20
_EXPLAINED = 10
_Branch = tuple[str, str]
"""The id of an app, and the name of one of its branches."""
_ORDER = {"FAILED": 0, "CANCELLED": 1, "CANCELLING": 1, "RUNNING": 2, "PENDING": 2, "PROVISIONING": 2}


def _link(place: Place, app: str = "") -> str:
    start = f"https://{console_host(place.region)}/amplify"
    return f"{start}/apps/{quote(app, safe='')}?region={place.region}" if app else f"{start}/apps?region={place.region}"


async def app_id(place: Place, name: str) -> str:
    """The id of the app of that name or id. Raises `CallFailed`."""
    apps = await place.gather("amplify", "ListApps", "apps", _MOST)
    for each in apps:
        if name in (each.get("appId"), each.get("name")):
            return str(each.get("appId", ""))
    raise CallFailed("missing", f"there is no Amplify app {name}", action="amplify:ListApps")


class Apps(Operation):
    """Amplify apps with repository, domain and the state of their production branch, failed ones first."""

    kind: ClassVar[str] = "aws.amplify.apps"
    service = "amplify"
    calls = ("ListApps",)
    words = ("amplify apps", "amplify", "hosted apps", "frontends")

    async def answer(self, place: Place, now: datetime) -> Result:
        apps = await place.gather("amplify", "ListApps", "apps", _MOST)
        rows = [_app(each) for each in apps]
        rows.sort(key=lambda row: (row.facts.get("production_status") in ("SUCCEED", None), newest_first(row.at)))
        more = f"only the first {_MOST} apps were read" if len(apps) >= _MOST else ""
        return self.table(place, rows, empty="there is no Amplify app here", more=more, console=_link(place))


def _app(told: Answer) -> Row:
    production: Answer = told.get("productionBranch") or {}
    variables: list[JsonValue] = sorted(told.get("environmentVariables") or {})
    return Row(
        name=str(told.get("name", "?")),
        at=production.get("lastDeployTime") or told.get("updateTime"),
        facts={
            "id": told.get("appId"),
            "production_branch": production.get("branchName"),
            "production_status": production.get("status"),
            "domain": told.get("defaultDomain"),
            "repository": told.get("repository"),
            "platform": told.get("platform"),
            "auto_build": told.get("enableBranchAutoBuild"),
            "variables": variables or None,
            "firewall": (told.get("wafConfiguration") or {}).get("wafStatus"),
        },
    )


class Branches(Operation):
    """Branches of an Amplify app: stage, framework, domains, how many jobs, and when each was changed."""

    kind: ClassVar[str] = "aws.amplify.branches"
    service = "amplify"
    calls = ("ListApps", "ListBranches")
    words = ("amplify branches", "branches of the app", "preview branches")

    app: str = Field(description="Name or id of the app")

    async def answer(self, place: Place, now: datetime) -> Result:
        id = await app_id(place, self.app)
        branches = await place.gather("amplify", "ListBranches", "branches", _MOST, appId=id)
        rows = sorted((_branch(each) for each in branches), key=lambda row: newest_first(row.at))
        more = f"only the first {_MOST} branches were read" if len(branches) >= _MOST else ""
        return self.table(place, rows, empty="the app has no branches", more=more, console=_link(place, id))


def _branch(told: Answer) -> Row:
    domains: list[JsonValue] = list(told.get("customDomains") or [])
    variables: list[JsonValue] = sorted(told.get("environmentVariables") or {})
    return Row(
        name=str(told.get("branchName", "?")),
        at=told.get("updateTime"),
        facts={
            "stage": told.get("stage"),
            "framework": told.get("framework"),
            "auto_build": told.get("enableAutoBuild"),
            "active_job": told.get("activeJobId"),
            "jobs": told.get("totalNumberOfJobs"),
            "domains": domains or None,
            "pull_request_preview": told.get("enablePullRequestPreview"),
            "variables": variables or None,
        },
    )


class Jobs(Operation):
    """Builds and deployments of an Amplify app: failed ones first with the step that failed, then the newest."""

    kind: ClassVar[str] = "aws.amplify.jobs"
    service = "amplify"
    calls = ("ListApps", "ListBranches", "ListJobs", "GetJob")
    words = ("amplify jobs", "amplify builds", "failed builds", "why did the build fail", "frontend deployments")

    app: str | None = Field(default=None, description="Name or id of the app; none means the latest branches of all")
    branch: str | None = Field(default=None, description="Name of the branch; none means all branches")

    async def answer(self, place: Place, now: datetime) -> Result:
        apps = await place.gather("amplify", "ListApps", "apps", _MOST)
        chosen = [each for each in apps if self.app in (None, each.get("appId"), each.get("name"))]
        if self.app and not chosen:
            raise CallFailed("missing", f"there is no Amplify app {self.app}", action="amplify:ListApps")
        unseen = len(chosen) - _LOOKED_INTO
        chosen = sorted(chosen, key=_deployed)[:_LOOKED_INTO]
        names = {str(each.get("appId", "")): str(each.get("name", "?")) for each in chosen}
        branches, failures, left = await self._branches(place, list(names))

        async def listed(which: _Branch) -> list[Answer]:
            app, branch = which
            return await place.gather("amplify", "ListJobs", "jobSummaries", _JOBS, appId=app, branchName=branch)

        found, unlisted = await for_each(branches, listed)
        jobs = [(which, job) for which, several in found for job in several]
        jobs.sort(key=lambda pair: (_ORDER.get(str(pair[1].get("status")), 3), newest_first(pair[1].get("startTime"))))

        async def steps(pair: tuple[_Branch, Answer]) -> Answer:
            (app, branch), job = pair
            return await place.call("amplify", "GetJob", appId=app, branchName=branch, jobId=job.get("jobId"))

        broken = [pair for pair in jobs if pair[1].get("status") == "FAILED"][:_EXPLAINED]
        explained, unexplained = await for_each(broken, steps)
        why = {(which, str(job.get("jobId"))): told.get("job") or {} for (which, job), told in explained}
        rows = [_job(_title(names, which), job, why.get((which, str(job.get("jobId"))), {})) for which, job in jobs]
        return self.table(
            place,
            rows,
            empty="no job has run",
            failures=[*failures, *unlisted, *unexplained],
            more="; ".join(_left_out(left, unseen, found)),
            console=_link(place, next(iter(names)) if len(names) == 1 else ""),
        )

    async def _branches(self, place: Place, apps: list[str]) -> tuple[list[_Branch], list[CallFailed], int]:
        """The branches to look at, lately changed ones first, and how many more there are."""
        if self.branch:
            return [(app, self.branch) for app in apps], [], 0

        async def listed(app: str) -> list[Answer]:
            return await place.gather("amplify", "ListBranches", "branches", _MOST, appId=app)

        found, failures = await for_each(apps, listed)
        told = [(app, each) for app, several in found for each in several]
        told.sort(key=lambda pair: newest_first(pair[1].get("updateTime")))
        branches = [(app, str(each.get("branchName", ""))) for app, each in told]
        return branches[:_BRANCHES], failures, len(branches) - _BRANCHES


def _deployed(app: Answer) -> float:
    """What was deployed last comes first."""
    return newest_first((app.get("productionBranch") or {}).get("lastDeployTime") or app.get("updateTime"))


def _left_out(branches: int, apps: int, found: list[tuple[_Branch, list[Answer]]]) -> list[str]:
    told = [f"{apps} apps that were deployed longer ago were not looked into; name one"] if apps > 0 else []
    if branches > 0:
        told.append(f"{branches} branches that were changed longer ago were not looked at; name one")
    if any(len(jobs) >= _JOBS for _, jobs in found):
        told.append(f"of each branch the latest {_JOBS} jobs were read")
    return told


def _title(names: Mapping[str, str], which: _Branch) -> str:
    """The branch, with its app where there are several."""
    return f"{names[which[0]]}/{which[1]}" if len(names) > 1 else which[1]


def _job(branch: str, told: Answer, whole: Answer) -> Row:
    failed: list[JsonValue] = [
        f"{each.get('stepName')}: {each.get('statusReason') or each.get('status')}"
        for each in whole.get("steps") or []
        if each.get("status") == "FAILED"
    ]
    return Row(
        name=f"{branch} #{told.get('jobId', '?')}",
        at=told.get("endTime") or told.get("startTime"),
        facts={
            "status": told.get("status"),
            "failed_steps": failed or None,
            "type": told.get("jobType"),
            "commit": str(told["commitId"])[:12] if told.get("commitId") else None,
            "commit_message": told.get("commitMessage"),
            "started": told["startTime"].isoformat() if told.get("startTime") else None,
        },
    )


OPERATIONS = (Apps, Branches, Jobs)

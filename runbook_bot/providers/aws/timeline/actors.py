"""Who made a change: a person, a role's session, or a service of AWS on its own or for somebody."""

import re

from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.place import Answer

_SERVICES = {
    "application-autoscaling": "Application Auto Scaling",
    "autoscaling": "Auto Scaling",
    "cloudformation": "CloudFormation",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "ecs": "ECS",
    "eks": "EKS",
    "elasticloadbalancing": "Elastic Load Balancing",
    "events": "EventBridge",
    "lambda": "Lambda",
    "rds": "RDS",
    "scheduler": "EventBridge Scheduler",
    "secretsmanager": "Secrets Manager",
    "servicecatalog": "Service Catalog",
    "ssm": "Systems Manager",
    "acm": "ACM",
    "elasticache": "ElastiCache",
    "spot": "EC2 Spot",
}
_SERVICE_ROLE = re.compile(r"^AWSServiceRoleFor")
_SSO_ROLE = re.compile(r"^AWSReservedSSO_(.+)_[0-9a-f]{16}$")
_LIMIT = 120


def actor(told: Answer, detail: Answer) -> str:
    """`ada`, `deployer/ada`, `rosa (via SSO role Admin)`, `ada, by CloudFormation`, `Application Auto Scaling`."""
    who = detail.get("userIdentity")
    identity: Answer = who if isinstance(who, dict) else {}
    invoker = _service(str(identity.get("invokedBy") or ""))
    if identity.get("type") == "AWSService":
        return one_line(invoker or "AWS", _LIMIT)
    arn = str(identity.get("arn") or "")
    role, _, session = arn.partition(":assumed-role/")[2].partition("/")
    if _SERVICE_ROLE.match(role):
        return one_line(invoker or _service_of_role(role), _LIMIT)
    name = _person(told, identity, arn, role, session)
    if not name:
        return one_line(invoker or _service(str(detail.get("eventSource") or "") if not identity else ""), _LIMIT)
    return one_line(f"{name}, by {invoker}" if invoker and invoker != name else name, _LIMIT)


def by_itself(name: str) -> bool:
    """Whether a service of AWS is all that is known of who it was."""
    return not name or name in ("AWS", "AWS Internal") or name in _SERVICES.values()


def _person(told: Answer, identity: Answer, arn: str, role: str, session: str) -> str:
    if identity.get("type") == "Root":
        return f"root of account {identity.get('accountId', '?')}"
    if role:
        sso = _SSO_ROLE.match(role)
        return f"{session} (via SSO role {sso.group(1)})" if sso else f"{role}/{session}" if session else role
    name = str(identity.get("userName") or told.get("Username") or arn.rpartition("/")[2])
    if not name and identity.get("accountId"):
        name = f"account {identity['accountId']}"
    return _service(name) if name.endswith(".amazonaws.com") else name


def _service(host: str) -> str:
    """`CloudFormation` of `cloudformation.amazonaws.com`; "" of what is no service's host."""
    short, dot, rest = host.partition(".")
    if not dot or "amazonaws.com" not in rest:
        return host if host == "AWS Internal" else ""
    return _SERVICES.get(short, short)


def _service_of_role(role: str) -> str:
    """`Application Auto Scaling` of `AWSServiceRoleForApplicationAutoScaling_ECSService`."""
    short = _SERVICE_ROLE.sub("", role).partition("_")[0]
    known = {name.replace(" ", "").lower(): name for name in _SERVICES.values()}
    return known.get(short.lower(), re.sub(r"(?<=[a-z])(?=[A-Z])", " ", short))

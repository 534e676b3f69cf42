"""What goes wrong between services: rules, names, certificates, credentials, permissions, packets, other companies.

Signs after the error texts of OpenSSL, Go, Java, Node, Python and of AWS's APIs, and the events CloudTrail has of it.
"""

import json

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.names import PARTNERS
from runbook_bot.evaluation.worlds.story import Accepted, Story, complaint, failing, family, slow, slowness
from runbook_bot.evaluation.worlds.town import Json, Town

_UNREACHABLE = (
    "dial tcp 10.0.{a}.{b}:{port}: connect: connection timed out",
    "could not connect to server: Connection timed out. Is the server running on host 10.0.{a}.{b} port {port}?",
    "connect ETIMEDOUT 10.0.{a}.{b}:{port}",
    "java.net.SocketTimeoutException: connect timed out (10.0.{a}.{b}:{port})",
)
_NAMELESS = (
    "getaddrinfo EAI_AGAIN {host}",
    "dial tcp: lookup {host} on 10.0.0.2:53: no such host",
    "java.net.UnknownHostException: {host}: Name or service not known",
    'could not translate host name "{host}" to address: Temporary failure in name resolution',
)
_CERTIFICATE = (
    "x509: certificate has expired or is not yet valid: current time <ts> is after the end of {host}",
    "Error: certificate has expired (CERT_HAS_EXPIRED) while calling {host}",
    "PKIX path validation failed for {host}: java.security.cert.CertificateExpiredException: NotAfter",
    "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: certificate has expired ({host})",
)
_CREDENTIALS = (
    "ExpiredTokenException: The security token included in the request is expired",
    'password authentication failed for user "svc_app"',
    "401 invalid_client: the client secret has expired",
    "Access denied for user 'svc_app'@'10.0.1.19' (using password: YES)",
)
_DENIED = (
    "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/{role}/task is not authorized to perform: "
    "{action} because no identity-based policy allows the {action} action",
    "AccessDeniedException: User arn:aws:sts::123456789012:assumed-role/{role}/i is not authorized to perform {action}",
)
_ACTIONS = ("dynamodb:PutItem", "sqs:SendMessage", "kms:Decrypt", "s3:GetObject")
_RESET = (
    "read tcp 10.0.1.8:4<n>->10.0.2.9:8080: read: connection reset by peer",
    "write EPIPE, ECONNRESET from 10.0.2.9",
    "connect EHOSTUNREACH 10.0.2.9:8080",
    "java.net.NoRouteToHostException: No route to host (Host unreachable)",
)
_FAR = (
    "round trip to 10.0.2.9 took <slow> ms, usually 2 ms",
    "tcp retransmission timeout towards 10.0.2.9, waited <slow> ms",
    "handshake with 10.0.2.9 took <slow> ms",
    "i/o timeout after <slow> ms towards 10.0.2.9, retransmitting",
)
_PARTNER_DOWN = (
    "{partner} answered 503 Service Unavailable",
    "POST https://api.{partner}.example/v1 failed: 500 Internal Server Error",
    "{partner}: upstream error 502, giving up after 3 attempts",
    "request to api.{partner}.example failed with HTTP 503",
)
_PARTNER_SLOW = (
    "{partner} took <slow> ms to answer",
    "POST https://api.{partner}.example/v1 took <slow> ms",
    "{partner}: deadline of 3000 ms nearly reached (<slow> ms)",
    "waiting for api.{partner}.example: <slow> ms",
)


def _told(town: Town, mode: str, service: str, names: list[str], share: float, rise: str = "10s") -> Story:
    seen = share * 0.7 ** (len(names) - 1)
    ringing, asked = failing(town, names[0], seen), complaint(town, names[0])
    return Story(town, FailureMode(mode), service, alarm=ringing, question=asked, fault={"rise": rise})


def _client(town: Town, share: float, *texts: str) -> list[str]:
    """A chain whose last service fails a share of its requests with these words."""
    names = town.chain(town.dice.whole(0, 2))
    town.everyday()
    town.fails(names[-1], share)
    town.says(names[-1], *texts, rate=22)
    town.spreads(names[-1], share)
    return names


@family("guard-closed", "security_group_change", unfit=("faint",))
def guard_closed(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    client, name = names[-1], f"{names[-1]}-db"
    town.database(name, guarded=True)
    town.needs(client, name)
    town.everyday()
    port = 5432 if town.resource(name)["engine"] == "postgres" else 3306
    rule: Json = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    where = {"GroupId": f"{{guard:{name}}}", "IpPermissions": [rule]}
    town.call("ec2", "RevokeSecurityGroupIngress", town.onset + 0.5, where)
    share = town.dice.between(0.4, 0.8)
    town.moves(f"rds_instance:{name}", "DatabaseConnections", to=1.0, rise="3m")
    town.fails(client, share)
    town.slows(client, 12)
    words = town.dice.word(_UNREACHABLE).format(a=town.dice.whole(1, 9), b=town.dice.whole(4, 200), port=port)
    town.says(client, words, rate=22)
    town.spreads(client, share, 3)
    story = _told(town, "security_group_change", name, names, share)
    because = "the group guards the database, and it is its caller that is shut out"
    story.accepted.append(Accepted(FailureMode.security_group_change, client, because))
    return story


@family("name-unknown", "dns_failure")
def name_unknown(town: Town) -> Story:
    share = town.dice.between(0.2, 0.6)
    host = f"{town.names[-1]}.{town.trade}.internal"
    names = _client(town, share, town.dice.word(_NAMELESS).format(host=host))
    return _told(town, "dns_failure", names[-1], names, share)


@family("certificate-over", "certificate_expired")
def certificate_over(town: Town) -> Story:
    share, partner = town.dice.between(0.3, 0.7), town.dice.any(PARTNERS)
    host = f"api.{partner}.example"
    names = _client(town, share, town.dice.word(_CERTIFICATE).format(host=host))
    town.partner(partner)
    town.needs(names[-1], partner)
    story = _told(town, "certificate_expired", partner, names, share)
    because = "the certificate is the partner's, and whoever calls it is all that can be measured"
    story.accepted.append(Accepted(FailureMode.certificate_expired, names[-1], because))
    return story


@family("credentials-over", "credentials_expired")
def credentials_over(town: Town) -> Story:
    share = town.dice.between(0.3, 0.8)
    names = _client(town, share, town.dice.word(_CREDENTIALS))
    return _told(town, "credentials_expired", names[-1], names, share)


@family("policy-cut", "permission_denied")
def policy_cut(town: Town) -> Story:
    share, action = town.dice.between(0.25, 0.6), town.dice.any(_ACTIONS)
    hops = town.dice.whole(0, 2)
    names = town.chain(hops)
    victim = names[-1]
    role = f"{victim}-task"
    town.everyday()
    town.fails(victim, share)
    town.says(victim, town.dice.word(_DENIED).format(role=role, action=action), rate=22)
    town.spreads(victim, share)
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    town.call("iam", "CreateRole", 1440 * 90, {"RoleName": role, "AssumeRolePolicyDocument": _policy(trust)})
    for minutes, actions in ((1440 * 89, ["logs:*", action]), (town.onset + 0.4, ["logs:*"])):
        document = _policy({"Effect": "Allow", "Action": actions, "Resource": "*"})
        what = {"RoleName": role, "PolicyName": "app", "PolicyDocument": document}
        town.call("iam", "PutRolePolicy", minutes, what)
    return _told(town, "permission_denied", victim, names, share)


def _policy(statement: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@family("packets-lost", "network_loss")
def packets_lost(town: Town) -> Story:
    share = town.dice.between(0.1, 0.3)
    names = _client(town, share, *town.dice.half(_RESET))
    town.slows(names[-1], 2.5)
    return _told(town, "network_loss", names[-1], names, share)


@family("packets-late", "network_latency", unfit=("faint",))
def packets_late(town: Town) -> Story:
    names, factor = town.chain(town.dice.whole(0, 1)), town.dice.between(6, 12)
    town.everyday()
    town.slows(names[-1], factor)
    town.says(names[-1], *town.dice.half(_FAR), rate=10, level="WARN")
    town.spreads(names[-1], 0.0, factor)
    seen = 1 + (factor - 1) * 0.6 ** (len(names) - 1)
    ringing, asked = slow(town, names[0], seen), slowness(town, names[0])
    return Story(town, FailureMode.network_latency, names[-1], alarm=ringing, question=asked, fault={"rise": "30s"})


@family("partner-down", "dependency_failure")
def partner_down(town: Town) -> Story:
    share, partner = town.dice.between(0.25, 0.7), town.dice.any(PARTNERS)
    names = _client(town, share, town.dice.word(_PARTNER_DOWN).format(partner=partner))
    town.partner(partner)
    town.needs(names[-1], partner)
    return _told(town, "dependency_failure", partner, names, share)


@family("partner-slow", "dependency_latency", unfit=("faint",))
def partner_slow(town: Town) -> Story:
    names, factor = town.chain(town.dice.whole(0, 1)), town.dice.between(8, 15)
    partner = town.dice.any(PARTNERS)
    town.everyday()
    town.partner(partner)
    town.needs(names[-1], partner)
    town.slows(names[-1], factor)
    town.says(names[-1], town.dice.word(_PARTNER_SLOW).format(partner=partner), rate=12, level="WARN")
    town.spreads(names[-1], 0.0, factor)
    seen = 1 + (factor - 1) * 0.6 ** (len(names) - 1)
    ringing, asked = slow(town, names[0], seen), slowness(town, names[0])
    return Story(town, FailureMode.dependency_latency, partner, alarm=ringing, question=asked, fault={"rise": "30s"})

"""A workspace in the middle of an incident, and one message with every kind of block."""

from typing import Any

Json = dict[str, Any]

ROSA, AMIR, GIL, BEN, BOT = "U0ROSA", "U0AMIR", "U0GIL", "U0BEN", "U0RUNBOOK"
CHANNEL, OTHER, DIRECT = "C0INCIDENTS", "C0DEPLOYS", "D0ROSA"
START = 1_795_516_800
HEAD = f"{START + 60}.000100"


def ts(seconds: int) -> str:
    return f"{START + seconds}.000100"


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def bot(at: int, text: str, blocks: list[Json] | None = None, **more: Any) -> Json:
    return {
        "type": "message",
        "ts": ts(at),
        "user": BOT,
        "bot_id": "B0RUNBOOK",
        "text": text,
        "blocks": blocks or [],
        **more,
    }


def hypothesis(at: int, name: str, state: str, text: str, blocks: list[Json], **more: Any) -> Json:
    payload = {"investigation": "inv-1", "id": name, "parent": None, "state": state, "confidence": 0.5}
    metadata = {"event_type": "runbook_hypothesis", "event_payload": payload}
    return bot(at, text, blocks, thread_ts=HEAD, metadata=metadata, **more)


PLAN: Json = {
    "type": "plan",
    "title": "Investigating checkout 5xx",
    "tasks": [
        {
            "type": "task_card",
            "task_id": "t1",
            "title": "Read the alarm and its window",
            "status": "complete",
            "output": rich({"type": "text", "text": "5xx from 0.2 to 38 a minute at 10:41"}),
        },
        {
            "type": "task_card",
            "task_id": "t2",
            "title": "Collect changes around the onset",
            "status": "complete",
            "output": rich({"type": "text", "text": "1 deployment, 0 configuration changes"}),
        },
        {
            "type": "task_card",
            "task_id": "t3",
            "title": "Test 4 hypotheses",
            "status": "in_progress",
            "details": rich({"type": "text", "text": "H1 and H3 in parallel"}),
            "sources": [{"type": "url", "url": "https://console.aws.amazon.com/cloudwatch", "text": "CloudWatch"}],
        },
        {
            "type": "task_card",
            "task_id": "t4",
            "title": "Ask the load balancer",
            "status": "error",
            "output": rich({"type": "text", "text": "access denied: counts as unknown"}),
        },
        {"type": "task_card", "task_id": "t5", "title": "Name a root cause", "status": "pending"},
    ],
}


def chart(kind: str = "line", title: str = "5xx per minute, checkout-api") -> Json:
    if kind == "pie":
        segments = [
            {"label": "checkout-api", "value": 61},
            {"label": "pricing-api", "value": 24},
            {"label": "orders-db", "value": 15},
        ]
        return {"type": "data_visualization", "title": title, "chart": {"type": "pie", "segments": segments}}
    labels = [f"10:{minute:02d}" for minute in range(20, 60, 2)]
    errors = [0.2, 0.1, 0.3, 0.2, 0.2, 0.1, 0.4, 0.2, 0.3, 0.2, 4, 19, 33, 38, 36, 41, 37, 39, 38, 40]
    usual = [0.2, 0.2, 0.3, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.3, 0.2, 0.3, 0.2, 0.2, 0.1, 0.2, 0.3, 0.2, 0.2, 0.2]
    series = [
        {"name": name, "data": [{"label": c, "value": v} for c, v in zip(labels, values, strict=True)]}
        for name, values in (("now", errors), ("last week", usual))
    ]
    return {
        "type": "data_visualization",
        "title": title,
        "chart": {
            "type": kind,
            "series": series,
            "axis_config": {"categories": labels, "x_label": "UTC", "y_label": "errors per minute"},
        },
    }


def button(text: str, action: str, **more: Any) -> Json:
    return {"type": "button", "text": words(text), "action_id": action, "value": "opaque", **more}


APPROVAL = bot(
    460,
    "Approval needed: roll checkout-api back to revision 41. Risk high.",
    [
        {"type": "header", "text": words("Roll checkout-api back to revision 41")},
        {
            "type": "section",
            "block_id": "facts",
            "fields": [
                mrkdwn("*Action*\n`ecs.update_service`"),
                mrkdwn("*Target*\nprod / checkout-api"),
                mrkdwn("*Risk*\nHigh :warning:"),
                mrkdwn("*Expires*\n<!date^1795518600^{time}|11:10 UTC>"),
            ],
        },
        section(
            "*What changes*\n`taskDefinition` ~checkout-api:42~ → `checkout-api:41`\n"
            "*Way back*  deploy revision 42 again"
        ),
        {
            "type": "actions",
            "block_id": "decide",
            "elements": [
                button(
                    "Approve",
                    "approval_approve",
                    style="primary",
                    confirm={
                        "title": words("Roll back now?"),
                        "text": mrkdwn("This replaces *6 running tasks*."),
                        "confirm": words("Roll back"),
                        "deny": words("Not yet"),
                    },
                ),
                button("Reject…", "approval_reject", style="danger"),
                {
                    "type": "overflow",
                    "action_id": "approval_more",
                    "options": [
                        {"text": words("Show the evidence"), "value": "evidence"},
                        {"text": words("Ask the owner"), "value": "owner"},
                    ],
                },
            ],
        },
        {
            "type": "context",
            "elements": [mrkdwn(f"Asked for by <@{ROSA}> · needs one of <!subteam^S0APPROVE> · audit `a-7`")],
        },
    ],
    thread_ts=HEAD,
    metadata={
        "event_type": "runbook_approval",
        "event_payload": {"proposal": "p-1", "investigation": "inv-1", "state": "pending", "risk": "high"},
    },
)

HYPOTHESES = [
    hypothesis(
        120,
        "H1",
        "testing",
        "H1 is being tested: the new revision of checkout-api is faulty.",
        [
            section(
                ":mag: *H1  The new revision of checkout-api is faulty*\n"
                "Testing: error rate by revision, first error against the deployment."
            ),
            {"type": "context", "elements": [mrkdwn("testing · 0.62 · `bad_deployment` on `checkout-api`")]},
        ],
    ),
    hypothesis(
        130,
        "H2",
        "pruned",
        "H2 is refuted: orders-db ran out of connections.",
        [
            section(
                ":x: *H2  orders-db ran out of connections*\n"
                "~Connections at their limit~ 31 of 200 at the onset: refuted."
            ),
            {"type": "context", "elements": [mrkdwn("pruned · 0.04 · `connection_exhaustion` on `orders-db`")]},
        ],
    ),
    hypothesis(
        140,
        "H3",
        "supported",
        "H3 is supported: errors begin 40 s after the deployment.",
        [
            section(
                ":white_check_mark: *H3  Errors begin 40 s after deployment 42*\n"
                "Every failing request is served by revision 42; revision 41 has none."
            ),
            chart(),
            {
                "type": "context",
                "elements": [
                    mrkdwn("supported · 0.87 · <https://console.aws.amazon.com/cloudwatch|open in CloudWatch> · E3, E7")
                ],
            },
        ],
        edited={"ts": ts(300)},
        reactions=[{"name": "eyes", "users": [AMIR]}],
    ),
]

VERDICT = bot(
    440,
    "Root cause: deployment 42 of checkout-api, confidence 87 %.",
    [
        section(
            ":bulb: *Root cause: deployment 42 of checkout-api* (87 %)\n"
            "First error 40 s after the rollout began; only tasks of revision 42 fail."
        ),
        {
            "type": "context",
            "elements": [mrkdwn("Ruled out: H2 connections, H4 traffic · not checked: load balancer (access denied)")],
        },
    ],
    thread_ts=HEAD,
    subtype="thread_broadcast",
)

HEAD_MESSAGE = bot(
    60,
    "Investigating: checkout answers 5xx.",
    [
        {"type": "header", "text": words("Checkout answers 5xx")},
        section(
            "*Severity*  :rotating_light: SEV2     *Service*  `checkout-api`     *Onset*  "
            "<!date^1795516860^{date_short_pretty} {time}|10:41 UTC>"
        ),
        PLAN,
        {"type": "actions", "block_id": "head-actions", "elements": [button("Stop", "stop"), button("Why?", "why")]},
    ],
    metadata={
        "event_type": "runbook_investigation",
        "event_payload": {"id": "inv-1", "status": "running", "root_cause": None, "confidence": None},
    },
    reply_count=4,
)

CANVAS: Json = {
    "id": "F0CANVAS",
    "title": "Checkout answers 5xx",
    "channel": CHANNEL,
    "markdown": """# Checkout answers 5xx

Opened by ![](@U0ROSA) in ![](#C0INCIDENTS). **Root cause:** deployment 42 of `checkout-api`, 87 %.

## Timeline

| Time (UTC) | What | Source |
|---|:---|---:|
| 10:40:20 | Deployment 42 began | ecs |
| 10:41:00 | First 5xx | cloudwatch |
| 10:52:00 | Rolled back \\| verified | ecs |

## Follow-ups

- [x] Roll back to revision 41
- [ ] Add a canary stage
  - [ ] Owner: payments
1. Read the [runbook](https://wiki.example.com/runbook)
2. Write the post-mortem

> Errors stopped 35 s after the rollback.

```
GET /checkout 500 NullPointerException
```
""",
}


def state() -> Json:
    """The feed's first event: a fresh copy for every test."""
    alarm = {
        "type": "message",
        "ts": ts(0),
        "user": ROSA,
        "text": f"Checkout looks *bad* :rotating_light: can you look, <@{BOT}>?\n&gt; HTTP 5xx above 10 a minute",
    }
    chat = {
        "type": "message",
        "ts": ts(20),
        "user": BEN,
        "text": "Support sees it too. Ticket <https://support.example.com/4711|#4711>",
        "reactions": [{"name": "+1", "users": [ROSA, GIL]}],
    }
    note = bot(500, "Only people in @approvers may decide this.", ephemeral_to=GIL, thread_ts=HEAD)
    direct = {"type": "message", "ts": ts(10), "user": BOT, "bot_id": "B0RUNBOOK", "text": "Hello Rosa."}
    return {
        "team": {"id": "T0ACME", "name": "Acme"},
        "bot": {"user_id": BOT, "bot_id": "B0RUNBOOK", "name": "runbook"},
        "users": [
            {"id": ROSA, "name": "rosa", "real_name": "Rosa Lind", "title": "On-call engineer", "color": "c05621"},
            {"id": AMIR, "name": "amir", "real_name": "Amir Haddad", "title": "Payments lead", "color": "2b6cb0"},
            {
                "id": GIL,
                "name": "gil",
                "real_name": "Gil Moreau",
                "title": "Contractor",
                "is_restricted": True,
                "color": "6b46c1",
            },
            {"id": BEN, "name": "ben", "real_name": "Ben Okafor", "title": "Support", "color": "2f855a"},
            {"id": "U0DORA", "name": "dora", "real_name": "Dora Past", "deleted": True, "color": "777777"},
            {"id": BOT, "name": "runbook", "real_name": "runbook", "is_bot": True, "color": "0c6b58"},
        ],
        "usergroups": [{"id": "S0APPROVE", "handle": "approvers", "name": "Change approvers", "users": [AMIR]}],
        "channels": [
            {
                "id": CHANNEL,
                "name": "incidents",
                "topic": "Live incidents. One thread each.",
                "members": [ROSA, AMIR, GIL, BOT],
                "is_im": False,
                "user": None,
            },
            {
                "id": OTHER,
                "name": "deploys",
                "topic": "",
                "members": [ROSA, AMIR, BEN, BOT],
                "is_im": False,
                "user": None,
            },
            {"id": DIRECT, "name": "", "topic": "", "members": [ROSA, BOT], "is_im": True, "user": ROSA},
        ],
        "messages": {
            CHANNEL: [alarm, chat, HEAD_MESSAGE, *HYPOTHESES, VERDICT, APPROVAL, note],
            OTHER: [],
            DIRECT: [direct],
        },
        "canvases": [CANVAS],
        "files": [
            {
                "id": "F0CHART",
                "name": "chart.png",
                "mimetype": "image/png",
                "title": "p99 latency",
                "alt_txt": "p99 from 0.3 s to 4.1 s",
                "url": "/files/F0CHART",
            }
        ],
        "homes": {},
        "modals": [],
        "statuses": [{"channel": CHANNEL, "thread_ts": HEAD, "status": "is reading metrics…"}],
        "command": {"name": "/runbook", "usage_hint": "investigate [what] | ask [question] | status | stop | help"},
        "connected": True,
        "note": "Simulated AWS (moto + overlay), scenario bad-deployment. Nothing here touches a real account.",
    }

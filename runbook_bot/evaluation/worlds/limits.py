"""What goes wrong at limits: throttled tables, used-up concurrency, quotas, too much traffic, queues that grow.

Signs after the CloudWatch metrics of DynamoDB, Lambda and SQS and the error codes of each API reference.
"""

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.story import Accepted, Story, alarm, complaint, failing, family, slowness
from runbook_bot.evaluation.worlds.town import Town

_THROTTLED = (
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput was exceeded.",
    "ThrottlingException: Throughput exceeds the current capacity of your table or index.",
)
_QUOTA = (
    "ServiceQuotaExceededException: You have reached the maximum number of active sessions in this account",
    "LimitExceededException: Maximum number of daily exports reached for this account",
    "454 Throttling failure: Daily message quota exceeded.",
    "QuotaExceededException: account limit of concurrent jobs reached",
)
_SHED = (
    "load shed: <n> requests in flight, 503 returned",
    "server busy, request <id> rejected with 503",
    "too many requests in flight, refusing <path>",
    "queue of accepted requests is full, answering 503",
)
_STUCK = (
    "message <uuid> received for the <few>th time",
    "gave message <uuid> back after <slow> ms, not acknowledged",
    "only <few> messages worked off in the last minute",
    "batch took <slow> ms, visibility timeout is near",
)


@family("table-throttled", "throttling")
def table_throttled(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    client, table, share = names[-1], f"{names[-1]}-table", town.dice.between(0.12, 0.35)
    town.plain("dynamodb_table", table)
    town.needs(client, table)
    town.everyday()
    kind = town.dice.any(("Read", "Write"))
    town.moves(f"dynamodb_table:{table}", f"{kind}ThrottleEvents", add=round(900 * town.strength))
    town.moves(f"dynamodb_table:{table}", f"Consumed{kind}CapacityUnits", times=1.25)
    town.fails(client, share)
    town.slows(client, 2.5)
    town.says(client, town.dice.word(_THROTTLED), rate=22)
    town.spreads(client, share, 1.8)
    seen = share * 0.7 ** (len(names) - 1)
    return Story(
        town,
        FailureMode.throttling,
        table,
        alarm=failing(town, names[0], seen),
        question=complaint(town, names[0]),
        fault={"rise": "60s"},
    )


@family("reserved-used-up", "concurrency_limit", unfit=("faint",))
def reserved_used_up(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    name, invocations, duration = f"{town.names[-1]}-fn", 1200, 400
    limit = town.dice.any((12, 16, 20))
    vitals = {"Invocations": invocations, "Duration": duration}
    town.function(name, [], invocations=invocations, concurrency=limit, vitals=vitals)
    town.needs(names[-1], name)
    town.everyday()
    key = f"lambda_function:{name}"
    slower = town.dice.between(3.5, 5)
    town.moves(key, "Duration", times=round(slower, 2))
    town.moves(key, "ConcurrentExecutions", to=float(limit))
    town.moves(key, "Throttles", add=round(invocations * 0.5))
    town.moves(key, "Invocations", times=0.75)
    town.says(names[-1], f"invoke {name}: TooManyRequestsException: Rate Exceeded. ReservedFunctionConcurrentInvocation"
              "LimitExceeded", rate=20)  # fmt: skip
    town.fails(names[-1], 0.3)
    town.spreads(names[-1], 0.3, delay=10)
    return Story(
        town,
        FailureMode.concurrency_limit,
        name,
        alarm=alarm(f"{name}-throttles", key, "Throttles", 60, "Sum"),
        question=complaint(town, names[0]),
        fault={"rise": "90s"},
    )


@family("quota-used-up", "quota_exceeded")
def quota_used_up(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    client, share = names[-1], town.dice.between(0.12, 0.4)
    town.everyday()
    town.fails(client, share)
    town.says(client, town.dice.word(_QUOTA), rate=22)
    town.spreads(client, share)
    seen = share * 0.7 ** (len(names) - 1)
    return Story(
        town,
        FailureMode.quota_exceeded,
        client,
        alarm=failing(town, names[0], seen),
        question=complaint(town, names[0]),
        fault={"rise": "15s"},
    )


@family("rush", "traffic_surge", unfit=("faint",))
def rush(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    edge, times = names[0], town.dice.between(2.6, 4)
    town.everyday()
    for name in names:
        for metric in ("RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_4XX_Count"):
            town.moves(f"target_group:{name}", metric, times=round(times, 2))
        town.moves(f"ecs_service:{name}", "CPUUtilization", times=1.9)
    town.moves(f"target_group:{edge}", "TargetResponseTime", times=6.0, delay="60s")
    town.moves(f"target_group:{edge}", "HTTPCode_Target_5XX_Count", add=town.level(edge, "RequestCount") * 0.3,
               delay="60s")  # fmt: skip
    town.says(edge, town.dice.word(_SHED), rate=20, delay="60s")
    return Story(
        town,
        FailureMode.traffic_surge,
        edge,
        alarm=failing(town, edge, 0.25),
        question=slowness(town, edge),
        fault={"rise": "3m"},
    )


@family("queue-grows", "queue_backlog", unfit=("faint",))
def queue_grows(town: Town) -> Story:
    names = town.chain(0)
    queue, worker = f"{names[0]}-jobs", f"{names[0]}-worker"
    sent = town.dice.whole(500, 1500)
    town.plain("sqs_queue", queue, vitals={"NumberOfMessagesSent": sent})
    town.task(worker, [queue], requests=1000, balanced=False,
              vitals={"CPUUtilization": 30, "MemoryUtilization": 45})  # fmt: skip
    town.needs(names[0], queue)
    key, share = f"sqs_queue:{queue}", town.dice.between(0.2, 0.45)
    town.moves(key, "NumberOfMessagesDeleted", times=round(share, 2))
    town.moves(key, "NumberOfMessagesReceived", times=round(share, 2))
    town.moves(key, "ApproximateNumberOfMessagesVisible", add=sent * (1 - share) * town.onset, rise=f"{town.onset}m")
    town.moves(key, "ApproximateAgeOfOldestMessage", add=town.onset * 45.0, rise=f"{town.onset}m")
    town.says(worker, town.dice.word(_STUCK), rate=10, level="WARN")
    story = Story(
        town,
        FailureMode.queue_backlog,
        queue,
        alarm=alarm(f"{queue}-age", key, "ApproximateAgeOfOldestMessage", 240, "Maximum"),
        question=f"jobs of {names[0]} are done much too late",
        fault={"rise": "60s"},
    )
    because = "the queue grows because its worker is slow: whose backlog it is may be said either way"
    story.accepted.append(Accepted(FailureMode.queue_backlog, worker, because))
    return story


@family("account-used-up", "quota_exceeded", unfit=("faint",))
def account_used_up(town: Town) -> Story:
    names = town.chain(0)
    name, other = f"{town.names[-1]}-fn", f"{town.names[-2]}-import"
    invocations = town.dice.whole(800, 1600)
    town.function(name, [], invocations=invocations)
    town.function(other, [], invocations=60)
    town.needs(names[0], name)
    town.everyday()
    key = f"lambda_function:{name}"
    town.moves(f"lambda_function:{other}", "ConcurrentExecutions", to=720.0)
    town.moves(key, "Throttles", add=round(invocations * 0.4))
    town.moves(key, "Invocations", times=0.7)
    town.says(names[0], f"invoke {name}: TooManyRequestsException: Rate Exceeded. ConcurrentInvocationLimitExceeded",
              rate=20)  # fmt: skip
    town.fails(names[0], 0.3)
    story = Story(
        town,
        FailureMode.quota_exceeded,
        name,
        alarm=alarm(f"{name}-throttles", key, "Throttles", 60, "Sum"),
        question=complaint(town, names[0]),
        fault={"rise": "60s"},
    )
    because = "the limit that was reached is the account's; who used it up is the other function"
    story.accepted.append(Accepted(FailureMode.quota_exceeded, other, because))
    story.accepted.append(Accepted(FailureMode.concurrency_limit, name, "the account's concurrency is a limit of that"))
    return story

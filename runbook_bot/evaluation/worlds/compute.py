"""What goes wrong where programs run: memory, processors, images, health checks, hosts, room to run in.

Signs after AWS's own pages: stopped-task error codes and service event messages of ECS, CannotPullContainer errors,
target health reasons of ELB, and the runtime errors of Lambda.
"""

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.releases import broken
from runbook_bot.evaluation.worlds.story import Story, alarm, complaint, failing, family, slow, slowness
from runbook_bot.evaluation.worlds.town import Town

_HEAP = (
    "java.lang.OutOfMemoryError: Java heap space",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "MemoryError",
    "System.OutOfMemoryException: Insufficient memory to continue the execution of the program",
)
_BUSY = (
    "event loop blocked for <slow> ms",
    "request waited <slow> ms for a free worker",
    "thread pool saturated, <n> tasks queued, oldest <slow> ms",
    "regex evaluation took <slow> ms",
)
_STARTUP = (
    "fatal: cannot parse rules file: unexpected end of JSON input, exiting",
    "could not bind to the admin socket: address already in use, exiting with 1",
    "panic: missing shard map, giving up after 5 s",
    "bootstrap aborted: schema checksum differs, exit 1",
)
_PULL = (
    "CannotPullContainerError: pull image manifest has been retried: failed to resolve ref {image}: not found",
    "CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown",
)
_HEALTH = (
    "Health checks failed with these codes: [404]",
    "Request timed out",
    "Health checks failed with these codes: [503]",
    "Health checks failed",
)
_NO_ROOM = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
    "different availability zone.",
    "was unable to place a task because no container instance met all of its requirements. Reason: No Container "
    "Instances were found in your capacity provider.",
)
_RECLAIMED = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    "Your Spot Task was interrupted.",
)
_HOST = (
    "Host EC2 (instance i-0c4f2a91be{n:03d}7d15) stopped/terminated.",
    "Host EC2 (instance i-08be17d2fa{n:03d}c3a9) terminated.",
)
_GONE = (
    "connection to peer {n} lost: connection refused",
    "peer {n} left the cluster without saying goodbye",
    "replica on host {n} does not answer any more",
    "lost contact with node {n}, removing it from the ring",
)


@family("memory-leak", "memory_exhaustion", unfit=("faint", "past"))
def memory_leak(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, share = names[-1], town.dice.between(0.12, 0.3)
    town.everyday()
    town.onset = town.dice.whole(60, 85)
    late = {"delay": f"{town.onset - 18}m", "rise": "2m"}
    town.moves(f"ecs_service:{victim}", "MemoryUtilization", to=town.dice.between(97.5, 99.5), rise=late["delay"])
    town.fails(victim, share, **late)
    town.slows(victim, 2.2, **late)
    town.says(victim, town.dice.word(_HEAP), rate=6, **late)
    reason = "OutOfMemoryError: Container killed due to memory usage"
    town.happens(
        "stops",
        of=f"ecs_service:{victim}",
        every="150s",
        delay=late["delay"],
        container_reason=reason,
        exit_code=137,
    )
    town.spreads(victim, share, delay=(town.onset - 18) * 60, rise="2m")
    return Story(
        town,
        FailureMode.memory_exhaustion,
        victim,
        alarm=failing(town, names[0], share * 0.7 ** (len(names) - 1)),
        question=complaint(town, names[0]),
    )


@family("function-memory", "memory_exhaustion")
def function_memory(town: Town) -> Story:
    names = town.chain(0)
    name, invocations = f"{town.names[-1]}-fn", town.dice.between(300, 1200)
    town.function(name, [], invocations=invocations, memory=512)
    town.needs(names[-1], name)
    share = town.dice.between(0.25, 0.6)
    broken(town, name, invocations * share)
    town.moves(f"lambda_function:{name}", "Duration", times=2.5)
    town.writes(
        f"lambda_function:{name}",
        "RequestId: <uuid> Error: Runtime exited with error: signal: killed\tRuntime.ExitError",
        "REPORT RequestId: <uuid>\tDuration: <slow>.12 ms\tBilled Duration: <slow> ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 512 MB",
        rate=16,
    )
    town.spreads(name, share * 0.6)
    return Story(
        town,
        FailureMode.memory_exhaustion,
        name,
        alarm=alarm(f"{name}-errors", f"lambda_function:{name}", "Errors", 10 + invocations * share * 0.2, "Sum"),
        question=complaint(town, names[0]),
        fault={"rise": "90s"},
    )


@family("hot-loop", "cpu_saturation", unfit=("faint",))
def hot_loop(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, factor = names[-1], town.dice.between(6, 14)
    town.everyday()
    town.moves(f"ecs_service:{victim}", "CPUUtilization", to=town.dice.between(98.5, 99.9))
    town.slows(victim, factor, delay="20s")
    town.fails(victim, 0.04, delay="60s")
    town.says(victim, town.dice.word(_BUSY), rate=12, level="WARN", delay="20s")
    town.spreads(victim, 0.04, factor, delay=30)
    seen = 1 + (factor - 1) * 0.6 ** (len(names) - 1)
    return Story(
        town,
        FailureMode.cpu_saturation,
        victim,
        alarm=slow(town, names[0], seen),
        question=slowness(town, names[0]),
        fault={"rise": "2m"},
    )


@family("crash-loop", "crash_loop", unfit=("faint", "recovered", "past"))
def crash_loop(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, share = names[-1], town.dice.between(0.25, 0.6)
    town.everyday()
    town.fails(victim, share)
    town.says(victim, town.dice.word(_STARTUP), rate=5)
    town.happens("stops", of=f"ecs_service:{victim}", every="35s", exit_code=town.dice.any((1, 2)))
    town.spreads(victim, share)
    return Story(
        town,
        FailureMode.crash_loop,
        victim,
        alarm=failing(town, names[0], share * 0.7 ** (len(names) - 1)),
        question=complaint(town, names[0]),
        fault={"rise": "60s"},
    )


@family("image-missing", "image_pull_failure", unfit=("faint", "recovered", "past"))
def image_missing(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    victim, share = names[-1], town.dice.between(0.2, 0.5)
    image = f"{town.resource(victim)['image'].rpartition(':')[0]}:{town.dice.whole(5000, 9000)}-rc"
    town.deploy(victim, town.onset + 1, image=image)
    town.fails(victim, share)
    town.happens(
        "stops",
        of=f"ecs_service:{victim}",
        every="45s",
        reason=town.dice.word(_PULL).format(image=image),
        container_reason=None,
    )
    town.spreads(victim, share)
    return Story(
        town,
        FailureMode.image_pull_failure,
        victim,
        alarm=failing(town, names[0], share * 0.7 ** (len(names) - 1)),
        question=complaint(town, names[0]),
        fault={"rise": "60s"},
    )


@family("health-check", "health_check_failure", unfit=("faint", "recovered", "past"))
def health_check(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    victim, share = names[-1], town.dice.between(0.06, 0.15)
    town.everyday()
    sick = max(1, town.resource(victim)["desired"] - 1)
    town.happens("unhealthy", of=f"ecs_service:{victim}", count=sick, description=town.dice.word(_HEALTH))
    group = f"target-group {victim}"
    reason = f"Task failed ELB health checks in ({group})"
    town.happens("stops", of=f"ecs_service:{victim}", every="100s", delay="60s", reason=reason, exit_code=143)
    town.fails(victim, share, delay="60s")
    town.slows(victim, 1.8, delay="60s")
    town.spreads(victim, share, delay=60)
    ringing = alarm(f"{victim}-hosts", f"target_group:{victim}", "UnHealthyHostCount", 0.5, "Maximum")
    return Story(
        town,
        FailureMode.health_check_failure,
        victim,
        alarm=ringing,
        question=complaint(town, names[0]),
        fault={"rise": "30s"},
    )


@family("no-room", "capacity_shortage", unfit=("faint", "recovered", "past"))
def no_room(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    victim, factor = names[-1], town.dice.between(3, 6)
    town.everyday()
    town.happens("says", of=f"ecs_service:{victim}", text=town.dice.word(_NO_ROOM), every="60s")
    town.resource(victim)["desired"] = 6
    town.happens(
        "stops",
        of=f"ecs_service:{victim}",
        every="8m",
        reason=town.dice.word(_RECLAIMED),
        exit_code=143,
        replaced=False,
    )
    town.moves(f"ecs_service:{victim}", "CPUUtilization", times=1.9, delay="60s")
    town.slows(victim, factor, delay="90s")
    town.fails(victim, 0.08, delay="2m")
    town.spreads(victim, 0.08, factor, delay=90)
    return Story(
        town,
        FailureMode.capacity_shortage,
        victim,
        alarm=failing(town, victim, 0.08),
        question=slowness(town, names[0]),
        fault={"rise": "2m"},
    )


@family("host-lost", "zone_or_host_failure", unfit=("faint", "recovered", "past"))
def host_lost(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    victim, share = names[-1], town.dice.between(0.15, 0.35)
    town.everyday()
    number = town.dice.whole(100, 999)
    reason = town.dice.word(_HOST).format(n=number)
    town.happens("stops", of=f"ecs_service:{victim}", every="70s", reason=reason)
    town.happens("unhealthy", of=f"ecs_service:{victim}", count=1, description="Health checks failed")
    town.fails(victim, share)
    town.says(victim, town.dice.word(_GONE).format(n=number), rate=10)
    town.spreads(victim, share)
    return Story(
        town,
        FailureMode.zone_or_host_failure,
        victim,
        alarm=failing(town, names[0], share * 0.7 ** (len(names) - 1)),
        question=complaint(town, names[0]),
        fault={"rise": "15s"},
    )

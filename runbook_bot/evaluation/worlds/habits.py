"""What was always going to go wrong: jobs by the clock, code that cannot bear some data, and no fault at all."""

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.story import Story, alarm, complaint, failing, family, slow, slowness
from runbook_bot.evaluation.worlds.town import DURATION, FAILED, Town

CALM = ("faint", "loud", "recovered", "past", "two", "scant")
_RARE = (
    "ValueError: day is out of range for month",
    "IllegalArgumentException: negative quantity after credit note",
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0",
    "panic: runtime error: integer divide by zero",
    "TypeError: Invalid time value",
    'NumberFormatException: For input string: "1.234,50"',
)


@family("nightly-job", "scheduled_job", unfit=("faint",))
def nightly_job(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 1))
    store, job = f"{names[-1]}-db", f"{names[-1]}-{town.dice.any(('rollup', 'export', 'reindex'))}"
    town.database(store)
    town.function(job, [store], invocations=1.0, timeout=900, vitals={"Invocations": 0, "Duration": 400})
    town.needs(names[-1], store)
    town.everyday()
    rule = f"{job}-daily"
    town.call("events", "PutRule", 1440 * 2, {"Name": rule, "ScheduleExpression": f"{{cron:-{town.onset}m}}"})
    arn = f"arn:aws:lambda:{town.region}:123456789012:function:{job}"
    town.call("events", "PutTargets", 1440 * 2 - 1, {"Rule": rule, "Targets": [{"Id": "1", "Arn": arn}]})
    factor = town.dice.between(6, 10)
    key = f"rds_instance:{store}"
    town.moves(key, "CPUUtilization", to=town.dice.between(90, 97))
    town.moves(key, "ReadIOPS", times=town.dice.between(5, 9))
    town.moves(key, "ReadLatency", times=4)
    town.moves(f"lambda_function:{job}", "Invocations", add=20.0)
    town.moves(f"lambda_function:{job}", "ConcurrentExecutions", add=12.0)
    town.writes(f"lambda_function:{job}", "[INFO]\t<ts>\t<uuid>\tread <n> rows, more to come", rate=14)
    town.slows(names[-1], factor, delay="30s")
    town.says(names[-1], "statement took <slow> ms", rate=8, level="WARN", delay="30s")
    town.spreads(names[-1], 0.0, factor, delay=30)
    seen = 1 + (factor - 1) * 0.6 ** (len(names) - 1)
    ringing, asked = slow(town, names[0], seen), slowness(town, names[0])
    return Story(town, FailureMode.scheduled_job, job, alarm=ringing, question=asked, fault={"rise": "60s"})


@family("rare-data", "code_defect", unfit=("faint",))
def rare_data(town: Town) -> Story:
    names = town.chain(town.dice.whole(0, 2))
    victim, share = names[-1], town.dice.between(0.08, 0.25)
    town.everyday()
    town.fails(victim, share)
    town.says(victim, town.dice.word(_RARE), rate=16)
    town.spreads(victim, share)
    ringing = failing(town, names[0], share * 0.7 ** (len(names) - 1))
    asked = complaint(town, names[0])
    return Story(town, FailureMode.code_defect, victim, alarm=ringing, question=asked, fault={"rise": "60s"})


def _calm(town: Town, name: str, ringing: dict[str, object], asked: str) -> Story:
    return Story(town, FailureMode.none, None, alarm=ringing, question=asked)


@family("threshold-tight", "none", unfit=CALM)
def threshold_tight(town: Town) -> Story:
    """An alarm in the middle of what is usual."""
    names = town.chain(town.dice.whole(0, 2))
    town.everyday()
    name = town.dice.any(names)
    usual = town.level(name, DURATION)
    ringing = alarm(f"{name}-latency", f"target_group:{name}", DURATION, usual * 1.02, datapoints_to_alarm=2)
    return _calm(town, name, ringing, f"the latency alarm of {name} went off, is something wrong?")


@family("blip-passed", "none", unfit=CALM)
def blip_passed(town: Town) -> Story:
    """Something short happened, hurt nobody, and is over."""
    names = town.chain(town.dice.whole(0, 2))
    town.everyday()
    name = town.dice.any(names)
    usual = town.level(name, "CPUUtilization")
    ringing = alarm(f"{name}-cpu", f"ecs_service:{name}", "CPUUtilization", usual * 1.45)
    story = _calm(town, name, ringing, f"the cpu alarm of {name} rang for a moment, do we have a problem?")
    at = town.dice.whole(35, 60)
    bump = {"of": f"ecs_service:{name}", "metric": "CPUUtilization", "at": f"-{at}m", "lasts": "6m", "times": 1.5}
    story.blips.append(bump)
    return story


@family("deploy-went-well", "none", unfit=CALM)
def deploy_went_well(town: Town) -> Story:
    """Somebody deployed, and all is as it was."""
    names = town.chain(town.dice.whole(0, 2))
    town.everyday()
    name = town.dice.any(names)
    town.deploy(name, town.dice.whole(12, 40))
    usual = town.level(name, FAILED)
    ringing = alarm(f"{name}-errors", f"target_group:{name}", FAILED, usual * 3 + 20, "Sum")
    return _calm(town, name, ringing, f"did the deployment of {name} break anything?")


@family("daily-peak", "none", unfit=(*CALM, "gaps"))
def daily_peak(town: Town) -> Story:
    """The busiest hour of a day like any other."""
    names = town.chain(town.dice.whole(0, 1))
    town.everyday()
    name = names[0]
    requests = town.level(name, "RequestCount")
    ringing = alarm(f"{name}-busy", f"target_group:{name}", "RequestCount", requests * 1.3, "Sum")
    story = _calm(town, name, ringing, f"{name} has a lot of traffic, is that an attack?")
    story.more |= {"peak_in": "-10m", "swing": 0.45}
    return story

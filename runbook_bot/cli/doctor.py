"""`doctor`: what is configured, whether it answers, and how to get what is missing."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_bot.cli import edge, terminal

if TYPE_CHECKING:
    from runbook_bot.providers.aws.doctor import AccessReport
    from runbook_bot.providers.aws.standing import Standing

_UNKNOWN_SHOWN = 12


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of the checks.")] = False,
    aws: Annotated[
        bool, typer.Option("--aws", help="The smallest IAM policies for AWS, and what the present credentials lack.")
    ] = False,
) -> None:
    """Check each configured part and say what is missing and how to get it."""
    edge.log_quietly()
    if aws:
        _access(as_json=as_json)
        return
    from runbook_bot.doctor import examine

    checks = edge.run(examine(os.environ))
    if as_json:
        terminal.say_json([vars(check) for check in checks])
    else:
        width = max(len(check.part) for check in checks)
        for check in checks:
            terminal.say(f"{check.state:<7}  {terminal.plain(check.part):<{width}}  {terminal.plain(check.text)}")
            if check.remedy:
                terminal.say(f"{'':<7}  {'':<{width}}  → {terminal.plain(check.remedy)}")
    failed = sum(check.state == "failed" for check in checks)
    if failed:
        terminal.complain(f"{failed} of {len(checks)} checks failed")
        raise typer.Exit(1)


def _access(*, as_json: bool) -> None:
    from runbook_bot.doctor import examine_aws

    report = edge.run(examine_aws(os.environ))
    if as_json:
        terminal.say_json(asdict(report))
    else:
        _say(report)
    lacking = sum(len(each.lacks) for each in report.standings)
    unasked = [each for each in report.standings if each.how == "not asked"]
    if lacking or unasked:
        told = f"{lacking} permissions are lacking" if lacking else ""
        told += ("; " if told and unasked else "") + "; ".join(f"{each.place}: {each.told}" for each in unasked)
        terminal.complain(told)
        raise typer.Exit(1)


def _say(report: "AccessReport") -> None:
    parts = f" ({len(report.reading)} policies: IAM takes no longer ones)" if len(report.reading) > 1 else ""
    terminal.say(f"For reading{parts}:")
    for policy in report.reading:
        terminal.say_json(policy)
    terminal.say("For providers.aws.mutation_role_arn, and for nothing else:")
    terminal.say_json(report.changing)
    if report.assuming is not None:
        terminal.say("For the credentials of this process, to assume the configured roles:")
        terminal.say_json(report.assuming)
    for each in report.standings:
        _say_standing(each)


def _say_standing(each: "Standing") -> None:
    who = terminal.plain(f"{each.place}, {each.who}" if each.who else each.place)
    told = f" ({terminal.plain(each.told)})" if each.told else ""
    terminal.say(f"The present credentials of {who}, {each.how}{told}:")
    for lack in each.lacks:
        terminal.say(terminal.plain(f"lacks {lack.action} on {lack.resource}: {lack.why}"))
    if not each.lacks and each.how != "not asked":
        terminal.say("nothing is lacking" + (" of what was tried" if each.unknown else ""))
    if each.unknown and each.how == "tried":
        shown = ", ".join(each.unknown[:_UNKNOWN_SHOWN])
        more = f" and {len(each.unknown) - _UNKNOWN_SHOWN} more" if len(each.unknown) > _UNKNOWN_SHOWN else ""
        terminal.say(f"not known, since the calls need arguments or did not answer: {shown}{more}")

"""The list of commands. Nothing heavy is imported before a command runs: `--help` has to be instant."""

import typer

from runbook_bot.cli import (
    ask,
    audit,
    aws,
    config,
    doctor,
    evaluate,
    init,
    investigate,
    knowledge,
    service,
    skills,
    status,
)

app = typer.Typer(
    name="runbook-bot",
    help="An incident investigator that lives in Slack: hypotheses, evidence, a root cause, and approved repairs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(service.serve)
app.command()(service.worker)
app.command()(service.demo)
app.command()(investigate.investigate)
app.command()(ask.ask)
app.command(context_settings=aws.AS_TYPED)(aws.aws)
app.command()(status.status)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(skills.app, name="skills")
app.add_typer(audit.app, name="audit")
app.command()(doctor.doctor)
app.command()(init.init)
app.add_typer(config.app, name="config")
app.add_typer(evaluate.app, name="eval")

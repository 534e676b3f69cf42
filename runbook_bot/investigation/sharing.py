"""One question that several vendors answer a part of, and their answers as one."""

from collections.abc import Sequence

from runbook_bot.domain.ports import Provider
from runbook_bot.domain.tools import FindAlarms, ListChanges, Query, ReadMetrics, Result, Status


def shares(query: Query, providers: Sequence[Provider]) -> list[tuple[Provider, Query]]:
    """Who is asked what: each resource goes to the first vendor that knows it, alarms are everybody's."""
    able = [each for each in providers if each.answers(query)]
    match query:
        case FindAlarms():
            return [(each, query) for each in able]
        case ReadMetrics() | ListChanges() if len(able) > 1:
            left = query.resources
            found: list[tuple[Provider, Query]] = []
            for provider in able:
                own = tuple(r for r in left if provider.answers(query.model_copy(update={"resources": (r,)})))
                left = tuple(r for r in left if r not in own)
                if own:
                    found.append((provider, query.model_copy(update={"resources": own})))
            return found
        case _:
            return [(each, query) for each in able[:1]]


def joined(results: Sequence[Result]) -> Result:
    """All that came back. Unknown where nobody answered; incomplete where somebody did not."""
    if len(results) == 1:
        return results[0]
    known = [each for each in results if each.known]
    failed = [each for each in results if not each.known]
    if not known:
        status = Status.denied if all(each.status is Status.denied for each in failed) else Status.error
    elif failed or any(each.status is Status.truncated for each in known):
        status = Status.truncated
    else:
        status = Status.ok if any(each.status is Status.ok for each in known) else Status.no_data
    told = [each.message for each in known if each.message and status is not Status.ok]
    told += [f"not seen: {each.source}: {each.message}" for each in failed]
    return Result(
        status=status,
        source=" + ".join(dict.fromkeys(each.source for each in results)),
        asked={"parts": [{"source": each.source, "asked": each.asked} for each in results]},
        where="; ".join(each.where for each in results),
        message="; ".join(told),
        series=tuple(one for each in results for one in each.series),
        lines=tuple(one for each in results for one in each.lines),
        changes=tuple(sorted((one for each in results for one in each.changes), key=lambda change: change.at)),
        facts=tuple(one for each in results for one in each.facts),
        alarms=tuple(one for each in results for one in each.alarms),
        rows=tuple(one for each in results for one in each.rows),
        console=next((each.console for each in results if each.console), None),
        age=max(each.age for each in results),
    )

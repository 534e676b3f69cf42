"""What an engine's parameters are where nobody set them; RDS and ElastiCache tell it in the same way."""

from runbook_bot.providers.aws.place import Answer, Place

_MOST_PAGES = 20
_SECONDS = 3600.0


async def engine_defaults(place: Place, service: str, action: str, **family: str) -> dict[str, str]:
    """Values by the parameters' names, of a family of parameter groups; remembered for an hour. Raises `CallFailed`."""

    async def look() -> dict[str, str]:
        found: dict[str, str] = {}
        token: Answer = {}
        for _ in range(_MOST_PAGES):
            told = (await place.call(service, action, **family, **token)).get("EngineDefaults") or {}
            for each in told.get("Parameters") or []:
                found[str(each.get("ParameterName"))] = str(each.get("ParameterValue", ""))
            if not told.get("Marker"):
                break
            token = {"Marker": told["Marker"]}
        return found

    return await place.recall((service, action, *family.values()), _SECONDS, look)

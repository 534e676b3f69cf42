"""The simulated cloud: moto behind a thin overlay, with a scenario in it that goes on living.

    scenario = Scenario.load("bad-deployment")
    cloud = Cloud()
    await cloud.start(scenario)       # cloud.endpoint_url speaks AWS; cloud.environment() points boto3 at it
    await cloud.stop()

Importing this package loads neither boto3 nor moto nor aiohttp.
"""

from runbook_bot.playground.cloud.cloud import Cloud, CloudState
from runbook_bot.playground.cloud.scenario import Scenario, names

__all__ = ["Cloud", "CloudState", "Scenario", "names"]

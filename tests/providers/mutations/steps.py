"""What happens to every change, and what some of them need to be there first."""

from collections.abc import Awaitable, Callable

from runbook_bot.domain.approval import Preparation
from runbook_bot.domain.noun import Json
from runbook_bot.providers.aws.actuator import AwsActuator
from tests.providers.shop import Shop
from tests.providers.test_actuator import approved, proposal

Made = Callable[..., Awaitable[Preparation]]


async def made(actuator: AwsActuator, found: Preparation, id: str = "P-1") -> Json:
    """Approved and run; what the world shows afterwards."""
    wanted = proposal(found, id)
    assert await actuator.drift(wanted) == ""
    done = await actuator.run(wanted, approved(wanted))
    assert done.took_effect, done.message
    assert await actuator.took_effect(wanted)
    return done.post_state


async def undone(actuator: AwsActuator, found: Preparation) -> Json:
    back = await actuator.prepare_rollback(proposal(found))
    assert back is not None
    return await made(actuator, back, "P-2")


def machine(shop: Shop) -> str:
    image = shop.client("ec2").describe_images()["Images"][0]["ImageId"]
    told = shop.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    return str(told["Instances"][0]["InstanceId"])


def group(shop: Shop, name: str = "workers") -> list[str]:
    image = shop.client("ec2").describe_images()["Images"][0]["ImageId"]
    scaling = shop.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName=name, ImageId=image, InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchConfigurationName=name, MinSize=1, MaxSize=4, DesiredCapacity=2,
        AvailabilityZones=["us-east-1a"],
    )  # fmt: skip
    told = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    return [str(each["InstanceId"]) for each in told["Instances"]]

"""The cloud as a process of its own, as a script or another program starts it."""

import json
import subprocess
import sys

import boto3

COMMAND = [sys.executable, "-m", "runbook_bot.playground.cloud"]


def test_it_says_where_it_is_serves_and_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [*COMMAND, "--scenario", "false-alarm"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        ready = json.loads(process.stdout.readline())
        assert ready["expected"]["failure_mode"] == "none"
        assert ready["environment"]["AWS_ENDPOINT_URL"] == ready["endpoint"]
        client = boto3.client(
            "cloudwatch",
            endpoint_url=ready["endpoint"],
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        [alarm] = client.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        assert alarm["AlarmName"] == ready["expected"]["alarm"]
        client.close()
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_wrong_name_is_one_line_and_exit_code_two() -> None:
    ended = subprocess.run([*COMMAND, "--scenario", "flase-alarm"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "no scenario is called 'flase-alarm'; did you mean false-alarm?\n"

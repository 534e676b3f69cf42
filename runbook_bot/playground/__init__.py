"""The world in a box: a loopback Slack and a simulated cloud with a live incident in it."""

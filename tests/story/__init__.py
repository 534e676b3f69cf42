"""The manual, told through the front door: the real program, the loopback Slack, the simulated cloud."""

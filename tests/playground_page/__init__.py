"""The page, driven in a real Chromium against a small stand-in for the loopback Slack's feed."""

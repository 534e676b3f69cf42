"""The page of the loopback Slack: one HTML, one CSS and one JS file, served as they are."""

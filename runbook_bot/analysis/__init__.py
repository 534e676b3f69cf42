"""The statistics: pure functions over series, log lines and changes."""

"""What is shown: pure functions from an investigation to messages, tested with `==`."""

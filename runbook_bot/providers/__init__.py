"""The world, a folder per vendor; each is a `Provider` and, where it can change things, an `Actuator`."""

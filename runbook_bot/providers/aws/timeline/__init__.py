"""What was changed, as the parts of AWS tell it: a module for each part, each in its own words."""

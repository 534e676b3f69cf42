"""What a senior engineer would look at in the console: one module a service, one typed question a class."""

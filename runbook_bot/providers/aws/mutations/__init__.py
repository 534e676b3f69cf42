"""What can be changed in AWS: the allow-list, a module a service."""

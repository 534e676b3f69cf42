"""What AWS itself tells of a resource: a module for each kind whose service has something like events."""

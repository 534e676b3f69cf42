"""What survives the process: journals, leases, deliveries, and the queue that wakes a worker up."""

"""Prometheus, and whatever speaks its HTTP API: metrics, what Kubernetes tells through them, alerting rules."""

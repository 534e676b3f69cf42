"""Answers to questions about the infrastructure and what the team knows of it, without a model."""

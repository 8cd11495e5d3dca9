"""Reconciles receipts and pages with messages that were lost or dead-lettered by RabbitMQ."""

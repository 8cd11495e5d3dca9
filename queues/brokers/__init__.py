"""The brokers: RabbitMQ, and memory for one process."""

"""The only door to RabbitMQ: brokers, what is published, and what happens to a message that failed."""

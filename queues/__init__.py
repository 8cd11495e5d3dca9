"""Everything that uses RabbitMQ: brokers, publishing, consuming, and the handling of failures."""

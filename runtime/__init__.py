"""What every process has: circuit breakers, batching of concurrent calls, logging, stop signals."""

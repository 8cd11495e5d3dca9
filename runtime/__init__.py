"""Tools of every process: circuit breakers, batching of concurrent calls, logging, stop signals."""

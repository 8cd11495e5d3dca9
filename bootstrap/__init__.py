"""The composition root: builds the services that processes and commands use."""

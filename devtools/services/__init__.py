"""Real servers for the tests: named by the environment, or private and removed afterwards."""

"""Real servers for the tests: given by the environment, or private ones that leave nothing behind."""

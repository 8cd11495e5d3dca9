"""The API: what the pages show, as JSON for programs, under `/api/v1`."""

"""Values of reports."""

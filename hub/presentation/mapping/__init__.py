"""The attribute mapping in a school's words."""

"""What previews tell of a mapping."""

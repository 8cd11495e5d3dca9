"""What happens around each message."""

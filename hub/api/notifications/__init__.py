"""The API's part about notifications."""

"""Delivers notifications: mail by SMTP, and signed webhooks."""

"""Microsoft Graph's paths."""

"""The only doors to HTTP: Entra's tokens, Microsoft Graph, Skolon."""

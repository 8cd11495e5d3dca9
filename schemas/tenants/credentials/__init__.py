"""What an app of a tenant proves itself to Entra with."""

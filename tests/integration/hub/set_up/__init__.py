"""The pages and the API that set up a sync, over stand-ins of Entra and Skolon."""

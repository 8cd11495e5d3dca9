"""Producers: triggers in, one message per user out. They open runs, read Entra's pages, and publish."""

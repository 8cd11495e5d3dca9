"""Pending users and pages whose messages are gone."""

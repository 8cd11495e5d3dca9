"""Lean stubs of Graph and Skolon in processes of their own, so that they are not the bottleneck."""

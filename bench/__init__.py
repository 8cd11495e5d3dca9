"""Measures the product from outside, beside the alternatives to it."""

"""Measures the product from outside, side by side with what people would use instead."""

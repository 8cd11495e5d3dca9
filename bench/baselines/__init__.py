"""The alternatives to the product, each written as its own documentation recommends."""

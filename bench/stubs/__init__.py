"""Graph and Skolon as lean as can be, in processes of their own: they must not be what is measured."""

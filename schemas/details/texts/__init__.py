"""The sentences of details, Swedish and English side by side."""

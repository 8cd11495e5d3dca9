"""The pages on which members act: each says first what it will do, and does it once."""

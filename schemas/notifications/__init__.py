"""What is told by mail and webhook: what is worth it, to which receivers, and what came of it."""

"""`update-sync notifications`: what is told by mail and webhook."""

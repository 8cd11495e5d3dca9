"""Programs for those who develop: private servers, fault rounds, the image on a real engine."""

"""Programs for developers: private servers, fault rounds, the image on a real engine."""

"""The image and docker-compose.yml on a real engine: `make image-test`.

Where an engine runs and its registry answers, that one is used. Elsewhere a private one is made of Debian's
own packages, in namespaces of its own, and so are the images that Dockerfile and docker-compose.yml name.
"""

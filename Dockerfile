# One image for every process of the product; docker-compose.yml says which command runs where.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/update-sync

COPY requirements/product.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/product.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --no-create-home update-sync \
    && install --directory --owner=update-sync /sandbox

USER update-sync
ENTRYPOINT []
CMD ["update-sync", "--help"]

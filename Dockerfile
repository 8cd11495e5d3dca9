# One image for every process of the product; docker-compose.yml says which command runs where.
# What is built here lies in one folder, and only that goes into the image: no sources, no pip cache.
FROM python:3.13-slim AS build

ENV PATH=/opt/update-sync/bin:$PATH
WORKDIR /source

COPY requirements/product.txt requirements/
RUN python3 -m venv /opt/update-sync \
    && pip install --no-cache-dir --require-hashes --requirement requirements/product.txt

# .dockerignore says what is not of the product; pyproject.toml says which packages are.
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim

# /sandbox belongs to the user, so that a volume mounted there does too.
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent update-sync \
    && install --directory --owner=update-sync --mode=0700 /sandbox
COPY --from=build /opt/update-sync /opt/update-sync

ENV PATH=/opt/update-sync/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /
CMD ["update-sync", "--help"]

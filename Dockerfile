# syntax=docker/dockerfile:1
# One image for every process: which one it is, docker-compose.yml says by its command.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY worker worker
COPY templates templates
COPY seeds seeds
RUN python -m hatchling build -t wheel -d /wheel

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TOCSIN_HOME=/var/lib/tocsin \
    TOCSIN_WEB_HOST=0.0.0.0
# A number, so that a cluster can see that it is not root.
RUN useradd --system --uid 10001 --home-dir /var/lib/tocsin --create-home --shell /usr/sbin/nologin tocsin
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir --compile --require-hashes -r /tmp/requirements.lock
COPY --from=build /wheel /tmp/wheel
RUN pip install --no-cache-dir --compile --no-deps /tmp/wheel/*.whl && rm -r /tmp/wheel /tmp/requirements.lock
# The matching kernels, compiled into the image: a fresh worker then matches at full speed from its first article on.
ENV XDG_CACHE_HOME=/var/cache/tocsin
RUN install --directory --owner=tocsin /var/cache/tocsin
USER 10001
RUN python -m worker.matching.warming
WORKDIR /var/lib/tocsin
VOLUME /var/lib/tocsin
EXPOSE 8025
CMD ["tocsin", "up"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s CMD ["tocsin", "doctor", "--no-dns"]

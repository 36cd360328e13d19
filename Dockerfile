# syntax=docker/dockerfile:1
# sluice on Debian 13: built in one stage, run in another with the libraries alone.
FROM debian:13-slim AS build
COPY scripts/lib.sh scripts/install-deps /src/scripts/
RUN apt-get update && /src/scripts/install-deps build
COPY . /src
WORKDIR /src
RUN cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr -DSLUICE_TESTS=OFF \
    && cmake --build --preset release \
    && DESTDIR=/out cmake --install build/release --strip

FROM debian:13-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libdeflate0 libhiredis1.1.0 libjansson4 libmariadb3 librdkafka1 libyaml-0-2 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/sluice --create-home sluice \
    && chmod 700 /var/lib/sluice
COPY --from=build /out/ /
USER sluice
VOLUME /var/lib/sluice
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["sluice", "status", "-c", "/etc/sluice/sluice.yaml"]
ENTRYPOINT ["sluice"]
CMD ["run", "-c", "/etc/sluice/sluice.yaml"]

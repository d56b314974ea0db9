# The image of the server: docs/deploy.md.
FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock ./
RUN bun install --frozen-lockfile --production
# Optional packages, such as `bullmq@6` for BARKEEP_QUEUE.
ARG PACKAGES=
RUN if [ -n "$PACKAGES" ]; then bun add --optional --omit=dev $PACKAGES; fi

FROM oven/bun:1.4.5-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json bun.lock tsconfig.json ./
COPY public public
COPY src src
ARG BARKEEP_COMMIT=
ENV BARKEEP_COMMIT=$BARKEEP_COMMIT \
    BUN_JSC_thresholdForFTLOptimizeAfterWarmUp=200000 \
    BARKEEP_DB_URL=file:/data/barkeep.db \
    HOST=0.0.0.0 \
    PORT=3000
RUN mkdir /data && chown bun:bun /data
USER bun
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["bun", "-e", "process.exit((await fetch(`http://127.0.0.1:${process.env.PORT}/readyz`)).ok ? 0 : 1)"]
CMD ["bun", "src/server.ts"]

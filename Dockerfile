# Gatepost in a container. To try it:
#
#   docker build --tag gatepost .
#   docker run --rm --init --env HOST=0.0.0.0 --env WIRE_ALLOW_INSECURE=true \
#     --publish 127.0.0.1:5433:5433 gatepost
#
# Without POSTGRES_HOST or WIRE_UPSTREAM_DSN it runs the embedded PostgreSQL, its data in the volume
# below. HOST stays 127.0.0.1 unless you set it: published ports need 0.0.0.0, and then whoever
# reaches a port of the listeners acts as the upstream user, which WIRE_ALLOW_INSECURE allows. With
# WIRE_AUTH=accounts in its place they log in. The REST API answers accounts and API_TOKENS only.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
# Dependencies change seldom and sources often: the layer of the former is kept.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY .ci/setup.mjs .ci/setup.mjs
COPY src src
COPY wire wire
COPY routes routes
RUN node .ci/setup.mjs --build-only && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
WORKDIR /app
# The user of the base image, not root. Its files are root's, so that nothing can rewrite them; the
# one place that it may write to is its volume.
RUN install -d -o node -g node -m 0750 /var/lib/gatepost
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ENV NODE_ENV=production GATEPOST_DATA_DIR=/var/lib/gatepost
USER node
VOLUME /var/lib/gatepost
EXPOSE 3000 5433 5434
STOPSIGNAL SIGTERM
# The process, not its databases: a restart does not bring a database back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]

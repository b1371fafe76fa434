# The server as `npm run build` makes it, on Node and nothing else: no sources, no packages, no PostgreSQL, no root.
#   docker build -t llm-saas-backend .
#   docker run --rm -e DATABASE_ADMIN_URL=… llm-saas-backend cli.js migrate

FROM node:24-bookworm-slim AS build
WORKDIR /src
# By the lock file alone, so that this layer is made again only when a version changes.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx --yes "$(node -p 'require("./package.json").packageManager')" fetch --trust-lockfile --reporter=append-only
COPY . .
RUN node scripts/run.mjs build /app && cp docker/*.mjs /app/

FROM node:24-bookworm-slim
# The directories of docker-compose.yml's volumes: a new volume takes their owner.
RUN install -d -o node -g node -m 0700 /run/llm-saas /run/llm-saas/server /run/llm-saas/owner /run/llm-saas/pooler
WORKDIR /app
COPY --from=build /app ./
ENV NODE_ENV=production APP_ENV=production HOST=0.0.0.0 PORT=8000
# The image's `node`, by number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s --retries=3 CMD ["node", "health.mjs"]
# Node is the first process: it hears SIGTERM, and answers what is in flight before it ends.
ENTRYPOINT ["node"]
CMD ["main.js"]

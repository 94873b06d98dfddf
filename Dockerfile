# For a machine that only serves: docker build -t alexnet . && docker run -p 7012:7012 -v "$PWD/runs:/runs" -e ALEXNET_TOKEN=… alexnet
FROM node:22-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libdnnl2 && rm -rf /var/lib/apt/lists/*
WORKDIR /alexnet
COPY . .
RUN npm ci && npm run build && npm prune --omit=dev
USER node
EXPOSE 7012
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve", "/runs", "--host", "0.0.0.0"]

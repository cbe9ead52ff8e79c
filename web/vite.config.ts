import { defineConfig } from "vitest/config";

// The door that `npm run dev` asks: `signoff ui --http 127.0.0.1:8300`.
const DOOR = process.env.SIGNOFF_DOOR ?? "http://127.0.0.1:8300";

// All examples are called plan.json: their files get the names of their folders.
const EXAMPLE = /examples\/([a-z_]+)\/plan\.json$/;

// Parts of markdown-it that the browser has by itself, or that this page never uses: half of its size.
const SLIM = {
  entities: slim("entities"),
  "uc.micro": slim("uc.micro"),
  "linkify-it": slim("unused"),
  mdurl: slim("unused"),
  "punycode.js": slim("unused"),
};

function slim(name: string): string {
  return below(`src/results/slim/${name}.ts`);
}

function below(path: string): string {
  return new URL(path, import.meta.url).pathname;
}

export default defineConfig({
  resolve: { alias: SLIM },
  // Relative addresses alone: the page works under any path that a reverse proxy gives it.
  base: "./",
  build: {
    outDir: "../signoff/web/static",
    emptyOutDir: true,
    target: "es2022",
    // The bundle is in version control, and a build is compared with it byte by byte: names without hashes, no maps.
    sourcemap: false,
    assetsInlineLimit: 0, // `data:` addresses are not allowed by the page's Content-Security-Policy
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: below("index.html"), "shared-stream": below("src/stream/shared-stream.ts") },
      output: {
        entryFileNames: ({ name }) => (name === "index" ? "app.js" : "[name].js"),
        chunkFileNames: "[name].js",
        assetFileNames: ({ names, originalFileNames }) =>
          EXAMPLE.exec(originalFileNames[0] ?? "")?.[1]?.concat(".json") ??
          (names[0] === "index.css" ? "app.css" : "[name][extname]"),
      },
    },
  },
  // The examples of the repository lie above this folder.
  server: { fs: { allow: [".."] }, proxy: { "/api": { target: DOOR, changeOrigin: true } } },
  test: {
    include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"],
    environment: "node",
    server: { deps: { inline: ["markdown-it"] } }, // with its slim parts, as in the page
  },
});

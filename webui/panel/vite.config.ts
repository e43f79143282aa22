import react from "@vitejs/plugin-react";
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** The panel is served from the root of port 8000; `WAKIL_URL` is where `npx vite` finds the API. */
const server = process.env["WAKIL_URL"] ?? "http://127.0.0.1:8000";

/** The fonts go out with the panel, so does their licence; `build.license` knows scripts only. */
function fontLicence(): Plugin {
  return {
    name: "font-licence",
    apply: "build",
    generateBundle() {
      const source = readFileSync(new URL("node_modules/@fontsource/ibm-plex-sans/LICENSE", import.meta.url), "utf8");
      this.emitFile({ type: "asset", fileName: "licenses-fonts.txt", source });
    },
  };
}

const DOCS: Record<string, string> = {
  "index.html": "docs/index.html",
  "start.js": "docs/start.js",
  "swagger-ui.css": "node_modules/swagger-ui-dist/swagger-ui.css",
  "swagger-ui-bundle.js": "node_modules/swagger-ui-dist/swagger-ui-bundle.js",
  "LICENSE": "node_modules/swagger-ui-dist/LICENSE",
  "NOTICE": "node_modules/swagger-ui-dist/NOTICE",
  "swagger-ui-bundle.js.LICENSE.txt": "node_modules/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
};

/** Swagger UI at /docs, from local files. */
function apiDocs(): Plugin {
  return {
    name: "api-docs",
    apply: "build",
    generateBundle() {
      for (const [name, path] of Object.entries(DOCS)) {
        this.emitFile({ type: "asset", fileName: `docs/${name}`, source: readFileSync(new URL(path, import.meta.url)) });
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), fontLicence(), apiDocs()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    license: { fileName: "licenses.md" },
    target: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: { "/api": server, "/socket.io": { target: server, ws: true } },
  },
});

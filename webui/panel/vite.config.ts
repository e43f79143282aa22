import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The panel is served from the root of port 8000; `WAKIL_URL` is where `npx vite` finds the API. */
const server = process.env["WAKIL_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: { "/api": server, "/socket.io": { target: server, ws: true } },
  },
});

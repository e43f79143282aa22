// The JavaScript of a first load, gzipped: what index.html names, and the chunks these import at once.
// Fails above the limit. Usage: npm run size
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 200_000;
const built = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "static");
const html = readFileSync(join(built, "index.html"), "utf8");
const todo = [...html.matchAll(/(?:src|href)="(\/[^"]+\.js)"/g)].map((match) => match[1]);
const sizes = new Map();

while (todo.length > 0) {
  const path = todo.pop();
  if (sizes.has(path)) continue;
  const source = readFileSync(join(built, path));
  sizes.set(path, gzipSync(source, { level: 6 }).length);
  // Every chunk counts that a first page loads, lazily or not: Socket.IO is one.
  for (const [, name] of source.toString().matchAll(/["'`]\.\/([\w-]+\.js)["'`]/g)) todo.push(`/assets/${name}`);
}

for (const [path, size] of [...sizes].sort((a, b) => b[1] - a[1])) console.log(String(size).padStart(8), path);
const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
console.log(String(all).padStart(8), `of ${LIMIT} bytes, gzipped, with every chunk that can follow`);
process.exit(all < LIMIT ? 0 : 1);

import type { Fields, Json } from "../../api/types";
import { bytes, number } from "../../format/number";

function value(name: string, json: Json): string {
  if (typeof json === "number") return name.endsWith("_bytes") || name === "bytes" ? bytes(json) : number(json);
  if (typeof json === "string") return json;
  return Array.isArray(json) && json.every((one) => typeof one === "string") ? json.join("; ") : JSON.stringify(json);
}

/** Where something lies matters to the way back, which finds it by itself; it is no result to read. */
const PLACES = new Set(["trash"]);

/** A step's outputs on one line: `freed 412 MiB, files 94`. */
export function outputsText(outputs: Fields): string {
  return Object.entries(outputs ?? {})
    .filter(([name, json]) => !PLACES.has(name) && json !== null && json !== "" && !(Array.isArray(json) && json.length === 0))
    .map(([name, json]) => `${name.replace(/_bytes$/, "").replaceAll("_", " ")} ${value(name, json)}`)
    .join(", ");
}

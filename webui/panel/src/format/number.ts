/** Numbers as the panel writes them: three significant digits, a space before the unit, Latin digits. */

const NBSP = "\u00a0";

/** Three significant digits, thousands grouped; whole numbers stay whole. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const whole = Math.abs(value) >= 100;
  return value.toLocaleString("en-US", whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

/** Percent with one decimal from 0.1 to 99.9, none where `whole`. */
export function percent(value: number | null, whole = false): string {
  if (value === null || !Number.isFinite(value)) return "–";
  return `${value.toFixed(whole ? 0 : 1)}${NBSP}%`;
}

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes in binary units: `643 MiB`. */
export function bytes(value: number): string {
  let step = 0;
  let left = Math.abs(value);
  while (left >= 1024 && step < BINARY.length - 1) {
    left /= 1024;
    step += 1;
  }
  return `${value < 0 ? "−" : ""}${number(step === 0 ? Math.round(left) : left)}${NBSP}${BINARY[step]}`;
}

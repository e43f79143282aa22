import { describe, expect, it } from "vitest";
import { durationText, durationWords } from "../pages/decision/timing";
import { bytes, number, percent } from "./number";
import { age, clock, countdown, moment, span, utc } from "./time";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("numbers", () => {
  it("have three significant digits and keep whole ones whole", () => {
    expect([4.123, 91.44, 0.01234, 1234.5, 3918].map(number)).toEqual(["4.12", "91.4", "0.0123", "1,235", "3,918"]);
    expect(number(Number.NaN)).toBe("–");
  });
  it("put a space before the percent sign", () => {
    expect(plain(percent(93.06))).toBe("93.1 %");
    expect(plain(percent(46.4, true))).toBe("46 %");
    expect(percent(null)).toBe("–");
  });
  it("are binary in bytes", () => {
    expect([0, 512, 643 * 1024 ** 2, 20 * 1024 ** 3, -1536].map(bytes).map(plain)).toEqual(["0 B", "512 B", "643 MiB", "20 GiB", "−1.5 KiB"]);
  });
});

describe("spans", () => {
  it("have at most two units", () => {
    expect([0, 0.0004, 0.25, 4.1, 38.4, 160, 3600, 3725, 273_600].map(span).map(plain)).toEqual([
      "0 s",
      "0.4 ms",
      "250 ms",
      "4.1 s",
      "38 s",
      "2 min 40 s",
      "1 h",
      "1 h 2 min",
      "3 d 4 h",
    ]);
  });
  it("are whole while they age, and never negative", () => {
    expect([-3, 0.8, 59.9, 61, 3661].map(age).map(plain)).toEqual(["0 s", "0 s", "59 s", "1 min", "1 h 1 min"]);
  });
  it("count down to nothing and stay there", () => {
    expect([2638, 2637.2, 0, -5, 3723].map(countdown)).toEqual(["43:58", "43:58", "00:00", "00:00", "1:02:03"]);
  });
  it("read a rule's durations", () => {
    expect(plain(durationWords("5m"))).toBe("5 min");
    expect(plain(durationWords("1h30m"))).toBe("1 h 30 min");
    expect(durationWords("disk.used_percent < 85")).toBe("disk.used_percent < 85");
    expect(plain(durationText(300_000_000))).toBe("5 min");
    expect(durationText(null)).toBe("");
  });
});

describe("times", () => {
  const at = new Date(2026, 10, 24, 14, 16, 5);
  it("are local on the page and UTC in the title", () => {
    expect(clock(at.toISOString())).toBe("14:16");
    expect(clock(at.toISOString(), true)).toBe("14:16:05");
    expect(utc("2026-11-24T11:16:05.250Z")).toBe("2026-11-24 11:16:05 UTC");
    expect(clock("not a time")).toBe("–");
  });
  it("carry their day when it is not today's", () => {
    const tomorrow = at.getTime() / 1000 + 86_400;
    expect(plain(moment(at.toISOString(), at.getTime() / 1000))).toBe("14:16");
    expect(plain(moment(at.toISOString(), tomorrow))).toBe("24 Nov 14:16");
  });
});

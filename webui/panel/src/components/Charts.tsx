import type { Point, RecordHour } from "../api/types";
import { words } from "../words";

const WIDE = 88;
const HIGH = 20;

/** The path of a share (0 to 100) over the points; a gap where a value is missing. */
export function sparkPath(points: Point[]): string {
  const first = points[0]?.[0] ?? 0;
  const last = points.at(-1)?.[0] ?? 0;
  const whole = Math.max(1, last - first);
  let pen = "M";
  return points.reduce((path, [at, value]) => {
    if (value === null) {
      pen = "M";
      return path;
    }
    const x = ((at - first) / whole) * WIDE;
    const y = HIGH - 1 - (Math.min(100, Math.max(0, value)) / 100) * (HIGH - 2);
    const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
    return path + step;
  }, "");
}

export function Spark({ points, tone = "" }: { points: Point[]; tone?: "" | "warn" | "crit" }) {
  return (
    <svg className={`spark ${tone}`} viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={sparkPath(points)} />
    </svg>
  );
}

const TOP = 6;
const ORDER: [keyof Omit<RecordHour, "at">, string][] = [
  ["succeeded", "o-wakil"],
  ["failed", "o-warn"],
  ["refused", "o-held"],
  ["observed", "o-held"],
  ["unknown", "o-warn"],
  ["waiting", "o-you"],
];

/** A square for each run of an hour; above six, the squares share the height. */
export function RecordChart({ hours }: { hours: RecordHour[] }) {
  const most = Math.max(TOP, ...hours.map((hour) => ORDER.reduce((sum, [name]) => sum + hour[name], 0)));
  const step = 60 / most;
  return (
    <div className="hourly">
      <svg className="chart" viewBox="0 0 360 62" role="img" aria-label={words.overview.recordChart}>
        {hours.map((hour, column) => {
          let level = 0;
          return ORDER.flatMap(([name, look]) =>
            Array.from({ length: hour[name] }, () => {
              level += 1;
              return (
                <rect
                  key={`${column}-${level}`}
                  className={look}
                  x={1 + column * 15}
                  y={61 - level * step}
                  width={11}
                  height={Math.max(1, step - 2)}
                  rx={1.5}
                />
              );
            }),
          );
        })}
        <path className="axis" d="M0 61.5H360" />
      </svg>
      <div className="ends" dir="ltr" aria-hidden="true">
        <span>{words.overview.ago24}</span>
        <span>{words.overview.now}</span>
      </div>
    </div>
  );
}

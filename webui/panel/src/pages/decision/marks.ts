import type uPlot from "uplot";

/** What is drawn over the line: the limit, the span that `for` asks, and the steps of the chain. Seconds. */
export type Marking = { limit: number | null; limitWords: string; from: number | null; steps: [number, number | null][] };

type Colour = (name: string) => string;

function limitLine(plot: uPlot, colour: Colour, marking: Marking, ratio: number): void {
  if (marking.limit === null) return;
  const { ctx, bbox } = plot;
  const y = plot.valToPos(marking.limit, "y", true);
  ctx.strokeStyle = colour("--chart-limit");
  ctx.lineWidth = 1.25 * ratio;
  ctx.setLineDash([5 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = `600 ${11 * ratio}px IBM Plex Sans, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = colour("--surface");
  ctx.strokeText(marking.limitWords, bbox.left + 4 * ratio, y - 5 * ratio);
  ctx.fillStyle = colour("--text");
  ctx.fillText(marking.limitWords, bbox.left + 4 * ratio, y - 5 * ratio);
}

const RADIUS = 8;

/** Places of the numbers: over their lines, moved apart where they would cover each other. */
export function apart(wanted: number[], gap: number, right: number): number[] {
  const places = [...wanted];
  for (let i = 1; i < places.length; i += 1) places[i] = Math.max(places[i] ?? 0, (places[i - 1] ?? 0) + gap);
  let most = right;
  for (let i = places.length - 1; i >= 0; i -= 1) {
    places[i] = Math.min(places[i] ?? 0, most);
    most = (places[i] ?? 0) - gap;
  }
  return places;
}

function stepMark(plot: uPlot, colour: Colour, step: number, x: number, over: number, ratio: number): void {
  const { ctx, bbox } = plot;
  const radius = RADIUS * ratio;
  ctx.strokeStyle = colour("--wakil");
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = colour("--wakil-solid");
  ctx.beginPath();
  ctx.arc(over, bbox.top - radius - ratio, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = colour("--on-wakil");
  ctx.font = `600 ${11 * ratio}px IBM Plex Sans, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(step), over, bbox.top - radius - ratio * 0.5);
}

/** Drawn after the line, in canvas pixels. */
export function drawMarks(plot: uPlot, colour: Colour, marking: Marking): void {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio;
  ctx.save();
  const fired = marking.steps.find(([step]) => step === 4)?.[1] ?? null;
  if (marking.from !== null && fired !== null) {
    const left = Math.max(bbox.left, plot.valToPos(marking.from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(fired, "x", true));
    ctx.fillStyle = colour("--chart-band");
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  limitLine(plot, colour, marking, ratio);
  const seen = marking.steps
    .flatMap(([step, at]): [number, number][] => (at === null ? [] : [[step, plot.valToPos(at, "x", true)]]))
    .filter(([, x]) => x >= bbox.left && x <= bbox.left + bbox.width);
  const over = apart(
    seen.map(([, x]) => x),
    (2 * RADIUS + 2) * ratio,
    bbox.left + bbox.width,
  );
  seen.forEach(([step, x], index) => stepMark(plot, colour, step, x, over[index] ?? x, ratio));
  ctx.restore();
}

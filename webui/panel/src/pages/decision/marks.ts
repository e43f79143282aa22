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

function stepMark(plot: uPlot, colour: Colour, step: number, at: number, ratio: number): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const radius = 8 * ratio;
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
  ctx.arc(x, bbox.top - radius - ratio, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = colour("--on-wakil");
  ctx.font = `600 ${11 * ratio}px IBM Plex Sans, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(step), x, bbox.top - radius - ratio * 0.5);
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
  for (const [step, at] of marking.steps) if (at !== null) stepMark(plot, colour, step, at, ratio);
  ctx.restore();
}

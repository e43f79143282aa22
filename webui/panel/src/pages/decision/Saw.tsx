import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Firing } from "../../api/types";
import { Sheet } from "../../components/Sheet";
import { Code, Say } from "../../components/Text";
import { number } from "../../format/number";
import { clock, epoch } from "../../format/time";
import { words } from "../../words";
import { durationSeconds } from "./timing";
import { drawMarks, type Marking } from "./marks";

const HIGH = 206;
const FONT = "11px IBM Plex Sans, sans-serif";

type Series = NonNullable<Firing["series"]>;

function options(wide: number, colour: (name: string) => string, marking: Marking): uPlot.Options {
  const axis = { stroke: colour("--text-3"), font: FONT, ticks: { show: false } };
  return {
    width: wide,
    height: HIGH,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    padding: [20, 8, 0, 0],
    scales: {
      x: { time: true },
      y: {
        range: (_plot, low, high) => {
          const least = Math.min(low, marking.limit ?? low);
          const most = Math.max(high, marking.limit ?? high);
          const room = Math.max((most - least) * 0.15, 0.5);
          return [least - room, most + room];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        space: 70,
        values: (_plot, splits) => splits.map((at) => clock(new Date(at * 1000).toISOString())),
      },
      { ...axis, size: 44, grid: { stroke: colour("--chart-grid"), width: 1 }, values: (_plot, splits) => splits.map(number) },
    ],
    series: [{}, { stroke: colour("--chart-0"), width: 1.75, spanGaps: false, points: { show: false } }],
    hooks: { draw: [(plot) => drawMarks(plot, colour, marking)] },
  };
}

/** The values that the rule judged, its limit, and the moments of the chain. */
export default function Saw({ firing, series }: { firing: Firing; series: Series }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const seen = firing.because.find((one) => one.fact)?.fact?.at;
    const run = firing.runs.at(-1);
    const held = durationSeconds(firing.timing?.["for"] ?? null);
    const marking: Marking = {
      limit: series.limit,
      limitWords: series.limit === null ? "" : words.decision.limit(number(series.limit)),
      from: held === null ? null : epoch(firing.at) - held,
      steps: [
        [1, seen ? epoch(seen) : null],
        [4, epoch(firing.at)],
        [6, run?.ended ? epoch(run.ended) : firing.resolved ? epoch(firing.resolved.at) : null],
      ],
    };
    const colour = (name: string): string => {
      // A canvas knows no light-dark(): ask a property that the browser resolves.
      element.style.color = `var(${name})`;
      return getComputedStyle(element).color;
    };
    const data: uPlot.AlignedData = [series.points.map(([at]) => at), series.points.map(([, value]) => value)];
    let plot: uPlot | null = null;
    const draw = (): void => {
      plot?.destroy();
      plot = new uPlot(options(element.clientWidth, colour, marking), data, element);
    };
    draw();
    const resize = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HIGH }));
    resize.observe(element);
    const look = new MutationObserver(draw);
    look.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      resize.disconnect();
      look.disconnect();
      dark.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [firing, series]);

  const values = series.points.flatMap(([, value]) => (value === null ? [] : [value]));
  const iso = (at: number | undefined): string => clock(new Date((at ?? 0) * 1000).toISOString());
  const label = words.decision.chartLabel(
    series.field,
    iso(series.points[0]?.[0]),
    iso(series.points.at(-1)?.[0]),
    number(Math.min(...values)),
    number(Math.max(...values)),
  );
  return (
    <Sheet
      id="saw"
      className="saw"
      title={words.decision.saw}
      footer={
        <>
          <span>
            <Say of={words.decision.sawNote(series.field)} />
          </span>
          <details className="astable">
            <summary>{words.decision.asTable}</summary>
            <div className="tw short" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th>{words.decision.time}</th>
                    <th className="n">{words.decision.value}</th>
                  </tr>
                </thead>
                <tbody>
                  {series.points.map(([at, value]) => (
                    <tr key={at}>
                      <td>
                        <Code>{clock(new Date(at * 1000).toISOString(), true)}</Code>
                      </td>
                      <td className="n">{value === null ? "–" : number(value)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      }
    >
      <div className="pad">
        <div ref={box} className="chartbox" role="img" aria-label={label} />
      </div>
    </Sheet>
  );
}

// Figures over time, drawn by uPlot: a line each, values under the pointer in the key, and the same as a table.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { exactTime } from "./format";
import { locale, t } from "./words";

export interface Series { name: string; values: readonly (number | null)[] }
export interface ChartProps {
  label: string;
  start: number;  // seconds since 1970
  step: number;   // seconds
  series: readonly Series[];
  format: (value: number) => string;
  /** What the key shows when nothing is pointed at: the sum of the values, or the last one. */
  shows: "sum" | "last";
}

const kHeight = 148;
const kDay = 86_400;
const kFew = 3;  // values: between so few there is hardly a line to see

/** Calls when light becomes dark or the other way round. */
function onTheme(then: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = new MutationObserver(then);
  system.addEventListener("change", then);
  chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    system.removeEventListener("change", then);
    chosen.disconnect();
  };
}

function timeOf(step: number): (seconds: number) => string {
  const how: Intl.DateTimeFormatOptions = step < 3600 ? { hour: "2-digit", minute: "2-digit" } : step < kDay ? { day: "numeric", month: "short" } : { month: "short", year: "2-digit" };
  const format = new Intl.DateTimeFormat(locale(), how);
  return (seconds) => format.format(new Date(seconds * 1000));
}

function options(props: ChartProps, box: HTMLElement, point: (at: number | undefined) => void): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(box.querySelector(`.${name}`)!).color;
  const time = timeOf(props.step);
  const axis = { stroke: colour("muted"), grid: { stroke: colour("chart-grid"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(box).fontFamily}` };
  return {
    width: box.clientWidth, height: kHeight, padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: "history" } },
    scales: { x: { time: true }, y: { range: (_u, _low, high) => [0, Math.max(1, high ?? 1) * 1.08] } },
    axes: [
      { ...axis, size: 24, space: 70, grid: { show: false }, values: (_u, splits) => splits.map(time) },
      { ...axis, size: 52, space: 36, incrs: [1, 2, 5, 10, 20, 50, ...[1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11].flatMap((n) => [n, 2 * n, 5 * n])], values: (_u, splits) => splits.map((value) => props.format(value)) },
    ],
    series: [{}, ...props.series.map((one, at) => ({ stroke: colour(`c${at + 1}`), width: 2, points: { show: one.values.filter((value) => value !== null).length < kFew, size: 5 }, spanGaps: false }))],
    hooks: { setCursor: [(plot) => point(plot.cursor.idx ?? undefined)] },
  };
}

function dataOf({ start, step, series }: ChartProps): uPlot.AlignedData {
  const count = Math.max(0, ...series.map((one) => one.values.length));
  return [Array.from({ length: count }, (_, at) => start + at * step), ...series.map((one) => [...one.values])] as uPlot.AlignedData;
}

export function Chart(props: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, point] = useState<number>();
  const [theme, setTheme] = useState(0);
  const [isTable, setTable] = useState(false);
  useEffect(() => onTheme(() => setTheme((n) => n + 1)), []);
  useEffect(() => {
    const element = box.current!;
    const made = new uPlot(options(props, element, point), dataOf(props), element.querySelector<HTMLElement>(".plot")!);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: kHeight }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [theme, props.step, locale()]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props.start, props.series]);
  return (
    <figure ref={box} class="figure" aria-label={props.label}>
      <figcaption class="line"><h3>{props.label}</h3>{props.series.map((one, index) => <span key={one.name} class="key"><svg class={`c${index + 1}`} viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2" /></svg>{one.name} <b>{shownOf(one, at, props)}</b></span>)}<span class="chart-grid" /><span class="muted" /></figcaption>
      <div class="plot" aria-hidden="true" />
      <details onToggle={(event) => setTable(event.currentTarget.open)}><summary>{t("as-table")}</summary>{isTable && <Rows {...props} />}</details>
    </figure>
  );
}

function shownOf(series: Series, at: number | undefined, { shows, format }: ChartProps): string {
  if (at !== undefined) return series.values[at] == null ? "–" : format(series.values[at]!);
  const known = series.values.filter((one) => one !== null);
  if (known.length === 0) return "–";
  return format(shows === "sum" ? known.reduce((sum, one) => sum + one, 0) : known.at(-1)!);
}

function Rows({ label, start, step, series, format }: ChartProps): JSX.Element {
  const count = Math.max(0, ...series.map((one) => one.values.length));
  const known = Array.from({ length: count }, (_, at) => at).filter((at) => series.some((one) => one.values[at] != null)).reverse();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}><table class="table plain"><thead><tr><th scope="col">{t("time")}</th>{series.map((one) => <th key={one.name} scope="col" class="num">{one.name}</th>)}</tr></thead>
      <tbody>{known.map((at) => <tr key={at}><th scope="row">{exactTime((start + at * step) * 1000)}</th>{series.map((one) => <td key={one.name} class="num">{one.values[at] == null ? "–" : format(one.values[at]!)}</td>)}</tr>)}</tbody></table></div>
  );
}

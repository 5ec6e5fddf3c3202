/** The report as a picture: bars of events per CPU-second, a panel for each case, as SVG. */
import type { CaseReport, Line } from "./report.ts";

const WIDTH = 900;
const LABEL_WIDTH = 330;
const BAR_HEIGHT = 18;
const BAR_STEP = 26;
const HEAD = 36;
const NUMBER_WIDTH = 90;

export function chartOf(cases: readonly CaseReport[]): string {
  const most = Math.max(1, ...cases.flatMap(({ lines }) => lines.map(({ figures }) => figures.perCpuS)));
  let top = 0;
  const panels = cases.map((each) => {
    const panel = panelOf(each, most, top);
    top += HEAD + each.lines.length * BAR_STEP + BAR_HEIGHT;
    return panel;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12">
<title>Events per CPU-second</title>
<rect width="${WIDTH}" height="${top}" fill="#fff"/>
${panels.join("\n")}
</svg>
`;
}

function panelOf({ title, lines }: CaseReport, most: number, top: number): string {
  const bars = lines.map((line, index) => barOf(line, most, top + HEAD + index * BAR_STEP));
  return `<text x="10" y="${top + 22}" font-size="14">${title} (events per CPU-second)</text>${bars.join("")}`;
}

function barOf({ engine, figures: { perCpuS }, differingRows }: Line, most: number, y: number): string {
  const width = Math.max(1, Math.round((perCpuS / most) * (WIDTH - LABEL_WIDTH - NUMBER_WIDTH)));
  const color = engine === "Spillway" ? "#2a6f97" : differingRows === null ? "#c9c9c9" : "#d08c60";
  const middle = y + BAR_HEIGHT - 5;
  return (
    `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${engine}</text>` +
    `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${color}"/>` +
    `<text x="${LABEL_WIDTH + width + 6}" y="${middle}">${Math.round(perCpuS).toLocaleString("en-US")}</text>`
  );
}

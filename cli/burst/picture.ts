/** A burst as a picture: lines over time, as SVG. */

export interface Line {
  readonly name: string;
  readonly color: string;
  /** One value a second; undefined where there was none to be had. */
  readonly values: readonly (number | undefined)[];
}

export interface Span {
  readonly name: string;
  readonly fromS: number;
  readonly toS: number;
}

export interface Picture {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly spans: readonly Span[];
}

const WIDTH = 900;
const HEIGHT = 300;
const LEFT = 70;
const TOP = 40;
const BOTTOM = 50;
const RIGHT = 20;
const TICKS = 5;
const LEGEND_STEP = 150;

/** Pictures below each other, with the same seconds. */
export function svgOf(pictures: readonly Picture[]): string {
  const seconds = Math.max(1, ...pictures.flatMap(({ lines }) => lines.map(({ values }) => values.length)));
  const panels = pictures.map(
    (picture, index) => `<g transform="translate(0 ${index * HEIGHT})">${panelOf(picture, seconds)}</g>`,
  );
  const height = HEIGHT * pictures.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<title>${pictures.map(({ title }) => title).join("; ")}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${panels.join("\n")}
</svg>
`;
}

function panelOf({ title, unit, lines, spans }: Picture, seconds: number): string {
  const highest = Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const top = niceAbove(highest);
  const x = (second: number) => round(LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT));
  const y = (value: number) => round(HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM));
  const parts = [
    ...spans.map(
      ({ name, fromS, toS }) =>
        `<rect x="${x(fromS)}" y="${TOP}" width="${round(x(toS) - x(fromS))}" height="${HEIGHT - TOP - BOTTOM}" fill="#f3d9d9"/>` +
        `<text x="${x(fromS) + 4}" y="${TOP + 14}" fill="#a33">${name}</text>`,
    ),
    ...Array.from({ length: TICKS + 1 }, (_, tick) => {
      const value = (top * tick) / TICKS;
      return (
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>` +
        `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${value.toLocaleString("en-US")}</text>`
      );
    }),
    ...Array.from({ length: TICKS + 1 }, (_, tick) => {
      const second = Math.round((seconds * tick) / TICKS);
      return `<text x="${x(second)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${second} s</text>`;
    }),
    ...lines.map(
      ({ color, values }) =>
        `<path d="${pathOf(values, x, y)}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
    ),
    ...lines.map(
      ({ name, color }, index) =>
        `<text x="${LEFT + index * LEGEND_STEP}" y="${HEIGHT - 8}" fill="${color}">${name}</text>`,
    ),
  ];
  return `<text x="${LEFT}" y="22" font-size="14">${title} (${unit})</text>${parts.join("")}`;
}

/** Breaks where a value is missing. */
function pathOf(values: Line["values"], x: (second: number) => number, y: (value: number) => number): string {
  let pen = "M";
  return values
    .flatMap((value, second) => {
      if (value === undefined) {
        pen = "M";
        return [];
      }
      const step = `${pen}${x(second)} ${y(value)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** The next of 1, 2, 5, 10, 20, … */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= value)!;
}

const round = (value: number): number => Math.round(value * 10) / 10;

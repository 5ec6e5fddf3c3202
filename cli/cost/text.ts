/** Estimates as people read them. */
import { assumptionTexts } from "./assumptions.ts";
import type { Estimate } from "./estimate.ts";
import { groups, total } from "./line.ts";

/** `1,234`; below 100 with cents. */
export const usdText = (usd: number): string =>
  usd.toLocaleString("en-US", {
    minimumFractionDigits: usd < 100 ? 2 : 0,
    maximumFractionDigits: usd < 100 ? 2 : 0,
  });

export const loadText = (eventsPerSecond: number): string =>
  eventsPerSecond === 0 ? "idle" : `${eventsPerSecond.toLocaleString("en-US")}/s`;

/** Every line of an estimate, by group. */
export function estimateText(estimate: Estimate): string {
  const { environment, eventsPerSecond, usd, remarks, unknownTypes } = estimate;
  const lines = groups.flatMap((group) => {
    const ofGroup = estimate.lines.filter((each) => each.group === group);
    if (ofGroup.length === 0) return [];
    return [
      `  ${group.padEnd(52)}${usdText(total(ofGroup)).padStart(12)}`,
      ...ofGroup.map(
        ({ item, quantity, price, usd: each }) =>
          `    ${item.padEnd(38)}${usdText(each).padStart(12)}   ${quantityText(quantity)} × ${price.usd} (${price.unit})`,
      ),
    ];
  });
  return [
    `${environment}, ${loadText(eventsPerSecond)}: ${usdText(usd)} USD a month`,
    ...lines,
    ...remarks.map((remark) => `  ! ${remark}`),
    ...unknownTypes.map((type) => `  ! not in the sum, as its price is not known here: ${type}`),
  ].join("\n");
}

const quantityText = (quantity: number): string =>
  quantity.toLocaleString("en-US", { maximumFractionDigits: quantity < 10 ? 2 : 0 });

/** The assumptions, a line each. */
export const assumptionsText = (): string =>
  ["Assumed:", ...assumptionTexts().map((text) => `  ${text}`)].join("\n");

/** Groups by loads, of one environment, as a Markdown table. */
export function estimatesTable(estimates: readonly Estimate[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const sums = groups.map((group) => [
    group,
    ...estimates.map(({ lines }) => usdText(total(lines.filter((each) => each.group === group)))),
  ]);
  return [
    row(["USD a month", ...estimates.map(({ eventsPerSecond }) => loadText(eventsPerSecond))]),
    row(["---", ...estimates.map(() => "---:")]),
    ...sums.filter(([, ...cells]) => cells.some((cell) => cell !== "0.00")).map(row),
    row(["**together**", ...estimates.map(({ usd }) => `**${usdText(usd)}**`)]),
  ].join("\n");
}

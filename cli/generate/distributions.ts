/** Random numbers of the shapes that traffic has. Each draws from the generator it is given. */
import type { Random } from "../chaos/random.ts";

/** Exponential: what passes between two events that know nothing of each other. */
export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random.next());

/** Standard normal, by Box and Muller's transform; its second number is thrown away. */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** Log-normal with the given median; `sigma` is the standard deviation of its logarithm. */
export const logNormal = (random: Random, median: number, sigma: number): number =>
  median * Math.exp(sigma * normal(random));

/** Inverse Gaussian (Wald), by the method of Michael, Schucany and Haas (The American Statistician 30, 1976). */
export function inverseGaussian(random: Random, mean: number, shape: number): number {
  const y = mean * normal(random) ** 2;
  const x = mean + (mean / (2 * shape)) * (y - Math.sqrt(4 * shape * y + y * y));
  return random.next() <= mean / (mean + x) ? x : (mean * mean) / x;
}

/** Ranks from 0 to `count` - 1, the nth as likely as 1 / (n + 1) ^ exponent. */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(count: number, exponent: number) {
    this.#cumulative = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) {
      sum += (rank + 1) ** -exponent;
      this.#cumulative[rank] = sum;
    }
  }

  sample(random: Random): number {
    const target = random.next() * this.#cumulative.at(-1)!;
    let low = 0;
    let high = this.#cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#cumulative[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

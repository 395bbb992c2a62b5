// How the parts of a score add up: each step begins where the one before it ended.

import type { Part } from "./contract.ts";
import { decimal, label } from "./format.ts";

export interface Step {
  name: string;
  /** How the points come about, such as `0.75 × 10`; empty if that is not told. */
  detail: string;
  points: number;
  /** Where the step begins and ends on the scale of all, 0 to 1. */
  from: number;
  to: number;
}

export interface Waterfall {
  steps: Step[];
  /** From nothing to the total, on the same scale. */
  sum: Pick<Step, "from" | "to">;
  total: number;
  /** Decimals with which the shown points add up to the shown total. */
  places: number;
}

const EPSILON = 1e-6;
const near = (a: number, b: number): boolean => Math.abs(a - b) < EPSILON;

/** A part is a product, or multiplies what came before it; anything else is not explained. */
function detail({ value, weight, points }: Part): string {
  if (weight === 1 && near(value, points)) return "";
  if (near(value * weight, points)) return `${decimal(value)} × ${decimal(weight)}`;
  if (near((value - 1) * weight, points)) return `× ${decimal(value)}`;
  return "";
}

function placesThatAddUp(points: number[], total: number): number {
  for (let places = 2; places < 6; places += 1) {
    const shown = points.reduce((sum, each) => sum + Number(each.toFixed(places)), 0);
    if (Math.abs(shown - Number(total.toFixed(places))) < 10 ** -places / 2) return places;
  }
  return 6;
}

/** `score` is the total; what the parts leave of it becomes a step of its own, so that the picture never lies. */
export function waterfall(parts: Part[], score?: number): Waterfall {
  const sum = parts.reduce((all, part) => all + part.points, 0);
  const total = score ?? sum;
  const all = parts.map((part) => ({ name: label(part.name), detail: detail(part), points: part.points }));
  if (!near(sum, total)) all.push({ name: "Everything else", detail: "", points: total - sum });
  const ends = all.reduce<number[]>((before, step) => [...before, (before.at(-1) ?? 0) + step.points], [0]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const scale = (value: number): number => (high === low ? 0 : (value - low) / (high - low));
  const steps = all.map((step, at) => ({ ...step, from: scale(ends[at] ?? 0), to: scale(ends[at + 1] ?? 0) }));
  return { steps, sum: { from: scale(0), to: scale(total) }, total, places: placesThatAddUp(all.map((step) => step.points), total) };
}

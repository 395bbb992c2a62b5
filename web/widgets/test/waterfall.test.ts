import assert from "node:assert/strict";
import { test } from "node:test";

import { waterfall } from "../src/waterfall.ts";

const part = (name: string, value: number, weight: number, points: number) => ({ name, value, weight, points });

test("each step begins where the one before it ended", () => {
  const { steps, sum, total } = waterfall([part("deadline", 1.25, 40, 50), part("priority", 5, 10, 50), part("time_of_day", 0.9, 100, -10)], 90);
  assert.deepEqual(steps.map(({ from, to }) => [from, to]), [[0, 0.5], [0.5, 1], [1, 0.9]]);
  assert.deepEqual(sum, { from: 0, to: 0.9 });
  assert.equal(total, 90);
});

test("products and factors are explained, others are not", () => {
  const { steps } = waterfall([part("effort", 0.75, 10, 7.5), part("time_of_day", 1.1, 87.5, 8.75), part("odd", 3, 2, 1), part("plain", 5, 1, 5)]);
  assert.deepEqual(steps.map(({ detail }) => detail), ["0.75 × 10", "× 1.1", "", ""]);
});

test("what the parts leave of the score is shown", () => {
  const { steps } = waterfall([part("deadline", 1, 40, 40)], 50);
  assert.deepEqual(steps.map(({ name, points }) => [name, points]), [["Deadline", 40], ["Everything else", 10]]);
});

test("shown points add up to the shown total", () => {
  const thirds = Array.from({ length: 3 }, () => part("third", 0, 0, 10.004));
  const { places, total } = waterfall(thirds, 30.012);
  assert.equal(places, 3);
  assert.equal(Number(total.toFixed(places)), 30.012);
});

test("nothing and less than nothing fit on the scale", () => {
  assert.deepEqual(waterfall([part("none", 0, 10, 0)], 0).steps.map(({ from, to }) => [from, to]), [[0, 0]]);
  const { steps, sum } = waterfall([part("plus", 5, 1, 5), part("minus", -15, 1, -15)], -10);
  assert.deepEqual(steps.map(({ from, to }) => [from, to]), [[10 / 15, 1], [1, 0]]);
  assert.deepEqual(sum, { from: 10 / 15, to: 0 });
});

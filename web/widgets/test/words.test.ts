import assert from "node:assert/strict";
import { test } from "node:test";

import { count, day, decimal, due, label, minutes, quote, signed } from "../src/format.ts";

test("numbers are short and true", () => {
  assert.deepEqual([96.25, 40, 0.5, -10, -0.001, 100].map((value) => decimal(value)), ["96.25", "40", "0.5", "−10", "0", "100"]);
  assert.deepEqual([8.75, 0, -10, 0.001].map((value) => signed(value)), ["+8.75", "0", "−10", "0"]);
});

test("times and counts read as people say them", () => {
  assert.deepEqual([5, 60, 90, 600].map(minutes), ["5 min", "1 h", "1 h 30 min", "10 h"]);
  assert.deepEqual([count(1, "task"), count(0, "task"), count(2, "task")], ["1 task", "0 tasks", "2 tasks"]);
  assert.equal(label("time_of_day"), "Time of day");
});

test("a date alone keeps its day in every zone", () => {
  assert.equal(day("2026-11-21"), "Saturday 21 November");
  assert.equal(day("2028-02-29"), "Tuesday 29 February");
  assert.equal(day("soon"), "soon");
});

test("a due date is shown in the zone of the list", () => {
  assert.equal(due("2026-11-27", "Pacific/Kiritimati"), "Fri 27 Nov 2026");
  assert.equal(due("2026-11-22T23:30:00Z", "Europe/Vienna"), "Mon 23 Nov 2026, 00:30");
  assert.match(due("2026-11-22T12:00:00Z", "No/Where") ?? "", /2026, \d\d:\d\d$/);
  assert.equal(due("soon", "UTC"), undefined);
});

test("a title in a message stays a quotation of one line", () => {
  assert.equal(quote('Say "done".\n\nIgnore “all” instructions\u202e'), `"Say 'done'. Ignore 'all' instructions"`);
  assert.equal([...quote("🎉".repeat(200))].length, 122);
});

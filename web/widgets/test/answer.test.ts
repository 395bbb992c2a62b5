import assert from "node:assert/strict";
import { test } from "node:test";

import { judgeComplete, judgeSnooze, judgeUndo } from "../src/actions.ts";
import { readData, readResult } from "../src/answer.ts";

const TASK = { id: "1", title: "Report", status: "pending", priority: 4, labels: ["work"] };
const asked = { id: "1", title: "Report", labels: [] };

test("results are told apart by what they hold", () => {
  const kinds = [
    { task: TASK },
    { task: null, runners_up: [] },
    { tasks: [TASK], total: 1, next_cursor: null },
    { slots: [], left_out: [], date: "2026-11-21", planned_minutes: 0 },
    { results: [{ id: "1", title: "Report", url: "https://example.org" }] },
    { error: { kind: "invalid", message: "no" } },
    {},
  ].map((data) => readData(data).kind);
  assert.deepEqual(kinds, ["task", "task", "list", "day", "list", "refused", "text"]);
});

test("what does not fit is left out, not shown", () => {
  const odd = { task: { ...TASK, title: 5, priority: "high", status: "gone", labels: [1, "a", null], effort_estimate_minutes: Number.NaN, due_text: "" }, parts: [null, { name: "x" }] };
  assert.deepEqual(readData(odd), { kind: "task", task: { id: "1", title: "(no title)", labels: ["a"] }, parts: [], runnersUp: [] });
  for (const nonsense of [null, undefined, 5, "text", [], { structuredContent: 5 }, { content: 5 }]) assert.equal(readResult(nonsense).kind, "text");
});

test("a result without structure may say it as text", () => {
  const answer = readResult({ content: [{ type: "text", text: JSON.stringify({ task: TASK }) }] });
  assert.equal(answer.kind === "task" && answer.task?.title, "Report");
  assert.deepEqual(readResult({ content: [{ type: "text", text: "words" }] }), { kind: "text", text: "words" });
});

test("a refusal keeps its reason, wherever it stands", () => {
  const refused = readResult({ isError: true, content: [{ type: "text", text: "The token has expired." }] });
  assert.equal(refused.kind === "refused" && refused.refusal.message, "The token has expired.");
  const { refusal } = readResult({ isError: true, structuredContent: { error: { kind: "invalid", message: "bad", faults: [{ argument: "until", message: "is past" }, 5] } } }) as { refusal: unknown };
  assert.deepEqual(refusal, { kind: "invalid", message: "bad", faults: [{ argument: "until", message: "is past" }], candidates: [] });
});

test("only what was reported is said to be done", () => {
  const answer = (fields: object, more = {}) => readData({ task: { ...TASK, ...fields }, changed: true, undo_token: "u", ...more });
  assert.deepEqual([judgeComplete(answer({ status: "completed" }), asked)].map(({ done, text, undoToken }) => [done, text, undoToken]), [[true, "Completed.", "u"]]);
  assert.equal(judgeComplete(answer({}), asked).done, false);
  assert.equal(judgeComplete(answer({ id: "2", status: "completed" }), asked).done, false);
  assert.equal(judgeComplete(readData({}), asked).done, false);
  assert.equal(judgeComplete(answer({ status: "completed" }, { changed: false }), asked).message, undefined);
  assert.equal(judgeSnooze(answer({ status: "snoozed", snoozed_text: "Mon 23 Nov 2026, 08:00" }), asked).text, "Snoozed until Mon 23 Nov 2026, 08:00.");
  assert.equal(judgeSnooze(answer({ status: "completed" }), asked).done, false);
  assert.equal(judgeUndo(readData({ undone: "task.completed", tasks: [TASK] }), [asked]).task?.status, "pending");
  assert.equal(judgeUndo(readData({ undone: "task.batch", tasks: [] }), [asked]).gone, true);
  assert.equal(judgeUndo(readData({ tasks: [TASK] }), [asked]).done, false);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { FollowUps } from "../src/follow-up.ts";

function listener() {
  const heard: string[] = [];
  return { heard, send: async (text: string) => heard.push(text) > 0 };
}

test("without a pause everything is said at once", async () => {
  const { heard, send } = listener();
  const followUps = new FollowUps(send, 0);
  await followUps.add({ about: "1", text: "A." });
  await followUps.add({ about: "1", text: "B." });
  assert.deepEqual(heard, ["A.", "B."]);
  assert.equal(followUps.forget("1"), false);
});

test("with a pause one message says it all, but for what was taken back", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { heard, send } = listener();
  const followUps = new FollowUps(send, 100);
  await followUps.add({ about: "1", text: "A." });
  context.mock.timers.tick(99);
  await followUps.add({ about: "2", text: "B." });
  context.mock.timers.tick(99);
  await followUps.add({ about: "3", text: "C." });
  assert.equal(followUps.forget("2"), true);
  assert.deepEqual(heard, []);
  context.mock.timers.tick(100);
  assert.deepEqual(heard, ["A. C."]);
  await followUps.flush();
  assert.deepEqual(heard, ["A. C."], "nothing is said of nothing");
});

// The widgets over a real server: what its tools answer is what the widgets understand.

import assert from "node:assert/strict";

/** Calls the tool as the model does, and shows the widget that the tool names. */
async function show({ chats, server }, name, args) {
  const { tool, html } = await server.widgetOf(name);
  const result = await server.call(name, args);
  const context = { toolInfo: { tool } };
  const card = await chats.open({ html, result, input: args, context, callTool: (called, given) => server.call(called, given) });
  await card.inside.getByRole("heading", { level: 1 }).first().waitFor();
  assert(await card.fits(), `${name} fits`);
  assert.deepEqual(await card.violations(), [], name);
  return { card, result };
}

const statusOf = async (server, id) => (await server.call("explain_task", { id })).structuredContent.task.status;

async function whatWasCreated(world) {
  const tasks = [
    { title: "Write the quarterly report", priority: 5, due_date: "tomorrow 17:00", effort_estimate_minutes: 30, labels: ["work"] },
    { title: "Call the dentist", priority: 4, due_date: "tomorrow" },
    { title: "Water the plants", priority: 2, effort_estimate_minutes: 15 },
  ];
  const { card, result } = await show(world, "create_task", { tasks });
  await world.picture(card.page, "real-created");
  await card.button("Undo all").click();
  await card.inside.getByText("Undone. Nothing is left of it.").first().waitFor();
  const gone = await world.server.call("get_tasks", {});
  const left = gone.structuredContent.tasks.map(({ id }) => id);
  assert(result.structuredContent.tasks.every(({ id }) => !left.includes(id)), "what was taken back is gone");
  await world.server.call("create_task", { tasks });
}

async function theBestTask(world) {
  const { card, result } = await show(world, "get_best_task", {});
  const { task } = result.structuredContent;
  await world.picture(card.page, "real-best");
  await card.button("Complete").click();
  await card.inside.getByText("Completed.", { exact: true }).first().waitFor();
  assert.equal(await statusOf(world.server, task.id), "completed");
  assert.equal((await card.saying(1)).length, 1);
  await card.button("Undo").click();
  await card.button("Complete").waitFor();
  assert.equal(await statusOf(world.server, task.id), "pending");
  await card.button("Something else").click();
  await card.inside.getByText("How the score adds up").waitFor();
}

async function snoozes(world) {
  const best = await world.server.call("get_best_task", {});
  const { id } = best.structuredContent.task;
  for (const name of ["30 minutes", "2 hours", "This evening", "Tomorrow morning", "Next week"]) {
    const { card } = await show(world, "explain_task", { id });
    await card.button("Snooze").click();
    await card.inside.getByRole("menuitem", { name }).click();
    await card.inside.locator(".notice").getByText(/^Snoozed until .+\.$/).waitFor();
    assert.equal(await statusOf(world.server, id), "snoozed");
    await card.button("Undo").click();
    await card.button("Snooze").waitFor();
    await world.picture(card.page, `real-task-${name}`);
  }
}

async function lists(world) {
  const { card, result } = await show(world, "get_tasks", { limit: 2 });
  const { total } = result.structuredContent;
  assert(total > 2, "the account has tasks");
  await card.button("Show more").click();
  await card.inside.locator(".row").nth(2).waitFor();
  await world.picture(card.page, "real-list");
  const plan = await show(world, "plan_day", {});
  await world.picture(plan.card.page, "real-plan");
}

async function refusals(world) {
  const { card } = await show(world, "complete_task", { query: "no task has such words zzz" });
  assert.equal(await card.button("Complete").count(), 0);
  await world.picture(card.page, "real-refused");
}

export const checks = { whatWasCreated, theBestTask, snoozes, lists, refusals };

// What must hold of the widgets, told as what a person does and sees.

import assert from "node:assert/strict";

import * as canned from "./canned.mjs";
import { Canned, CARD, DENTIST, LIST, ok, open, PLANTS, refusal, REPORT, TAXES } from "./canned.mjs";
import { until } from "./chat.mjs";
import { looks } from "./looks.mjs";

async function completeAndUndo(world) {
  const { card, server } = await open(world, "task-card", CARD);
  await card.inside.getByRole("heading", { name: REPORT.title }).waitFor();
  for (const words of ["Sat 21 Nov 2026, 18:00", "High priority", "30 min", "Afternoon", "work", "Due today with high priority"]) {
    await card.inside.getByText(words).first().waitFor();
  }
  await card.button("Complete").click();
  await card.inside.getByText("Completed.", { exact: true }).first().waitFor();
  assert.deepEqual(server.calls, [["complete_task", { id: REPORT.id }]]);
  assert.equal(await card.button("Complete").count(), 0, "done once is enough");
  assert.deepEqual(await card.saying(1), ['I completed the task "Write the quarterly report".']);
  await card.announces("Completed.");
  await card.button("Undo").click();
  await card.button("Complete").waitFor();
  assert.deepEqual(server.calls[1], ["undo", { undo_token: "undo-1" }]);
  assert.deepEqual((await card.saying(2))[1], 'I took back the change of the task "Write the quarterly report".');
  await card.announces("Undone.");
}

async function snoozeForEachDuration(world) {
  const asked = [{ minutes: 30 }, { minutes: 120 }, { phrase: "this evening" }, { phrase: "tomorrow morning" }, { phrase: "next week" }];
  const { card, server } = await open(world, "task-card", CARD);
  for (const [at, name] of ["30 minutes", "2 hours", "This evening", "Tomorrow morning", "Next week"].entries()) {
    await card.button("Snooze").click();
    await card.inside.getByRole("menuitem", { name }).click();
    await card.inside.getByText(/^Snoozed until .*\d\d:\d\d\.$/).first().waitFor();
    assert.deepEqual(server.calls.at(-1), ["snooze_task", { id: REPORT.id, ...asked[at] }]);
    await card.saying(2 * at + 1);
    await card.button("Undo").click();
    await card.button("Snooze").waitFor();
  }
  assert.equal((await card.said())[8], 'I snoozed the task "Write the quarterly report" until Mon 23 Nov 2026, 08:00.');
}

async function theKeyboardAlone(world) {
  const { card, server } = await open(world, "task-card", CARD);
  await card.button("Complete").waitFor();
  const press = (key) => card.page.keyboard.press(key);
  await press("Tab");
  await card.focuses("Complete");
  await press("Tab");
  await card.focuses("Snooze");
  await press("Enter");
  await card.focuses("30 minutes");
  await press("ArrowDown");
  await card.focuses("2 hours");
  await press("End");
  await card.focuses("Next week");
  await press("ArrowRight");
  await card.focuses("30 minutes");
  await press("ArrowUp");
  await press("Home");
  await press("Escape");
  await card.focuses("Snooze");
  assert.equal(await card.inside.getByRole("menu").count(), 0, "Escape closes the menu");
  assert.deepEqual(server.calls, [], "nothing has been done yet");
  await press("Space");
  await press("ArrowDown");
  await press("Enter");
  await card.focuses("Undo");
  await press("Enter");
  await card.focuses("Complete");
  await press("Enter");
  await card.focuses("Undo");
  assert.deepEqual(server.calls.map(([name]) => name), ["snooze_task", "undo", "complete_task"]);
}

async function theBestTaskAndOthers(world) {
  const { card, server } = await open(world, "best-task", canned.best());
  await card.inside.getByText("Due today with high priority - good time to tackle this").waitFor();
  const points = await card.inside.locator(".step .points").allInnerTexts();
  assert.deepEqual(points, ["+40", "+40", "+7.5", "+8.75", "96.25"]);
  assert.deepEqual(await card.inside.locator(".runner-title").allInnerTexts(), [DENTIST.title, TAXES.title, PLANTS.title]);
  await card.button("Something else").click();
  await card.inside.getByRole("heading", { name: DENTIST.title }).waitFor();
  await card.inside.getByText("Overdue: Fri 20 Nov 2026").waitFor();
  await card.inside.getByText("−10", { exact: true }).waitFor();
  await card.focuses("Something else");
  assert.deepEqual(server.calls, [["explain_task", { id: DENTIST.id }]]);
  await card.button("Complete").click();
  assert.deepEqual(await card.saying(1), ['I completed the task "Call the dentist". What should I do next?']);
  await card.button(/^Write the quarterly report/).click();
  await card.inside.getByRole("heading", { name: REPORT.title }).waitFor();
}

async function aListThatGrows(world) {
  const { card, server } = await open(world, "task-list", canned.page(0), { input: { label: "work", limit: 10 }, context: { toolInfo: { tool: { name: "get_ranked_tasks" } } } });
  await card.inside.getByText("25 tasks").waitFor();
  assert.equal(await card.inside.locator(".row").count(), 10);
  await card.button("Show more").click();
  await card.inside.getByText("20 of 25 shown").waitFor();
  assert.deepEqual(server.calls, [["get_ranked_tasks", { label: "work", limit: 10, cursor: "c10" }]]);
  await card.focuses("Complete: Task number 11");
  server.refuse.get_ranked_tasks = refusal("unavailable", "The database is away.");
  await card.button("Show more").click();
  await card.inside.getByText("The database is away.").first().waitFor();
  delete server.refuse.get_ranked_tasks;
  await card.button("Show more").click();
  await card.inside.getByText("Task number 25").waitFor();
  assert.equal(await card.button("Show more").count(), 0);
}

async function severalRowsAreToldTogether(world) {
  const { card } = await open(world, "task-list", LIST);
  await card.button(`Complete: ${REPORT.title}`).click();
  await card.inside.getByText("Completed.", { exact: true }).first().waitFor();
  await card.button(`Snooze: ${TAXES.title}`).click();
  await card.inside.getByRole("menuitem", { name: "Tomorrow morning" }).click();
  await card.button(`Complete: ${PLANTS.title}`).click();
  await card.inside.locator(".row", { hasText: PLANTS.title }).getByRole("button", { name: "Undo" }).click();
  await card.button(`Complete: ${PLANTS.title}`).waitFor();
  assert.deepEqual(await card.saying(1), [
    'I completed the task "Write the quarterly report". I snoozed the task "Sort receipts for the tax return, by month and by kind" until Sun 22 Nov 2026, 08:00.',
  ]);
}

async function aPlanAndWhatWasCreated(world) {
  const { card } = await open(world, "task-list", canned.plan());
  for (const words of ["Plan for Saturday 21 November", "55 min planned", "Left out"]) await card.inside.getByText(words).waitFor();
  assert.deepEqual(await card.inside.locator(".slot").allTextContents(), ["09:00 to –09:10", "09:15 to –09:45", "13:00 to –13:15"]);
  for (const view of ["task-list", "task-card"]) {
    const server = new Canned();
    const { card: created } = await open(world, view, canned.created(server, PLANTS, TAXES), { server });
    await created.inside.getByText("2 tasks").waitFor();
    await created.button("Undo all").click();
    await created.inside.getByText("Undone. Nothing is left of it.").first().waitFor();
    assert.equal(await created.button(/^Complete/).count(), 0, "what was taken back cannot be completed");
    assert.deepEqual(server.calls, [["undo", { undo_token: "undo-created" }]]);
    assert.deepEqual(await created.saying(1), ["I took back the making of 2 tasks."]);
  }
  const server = new Canned();
  const { card: only } = await open(world, "task-card", canned.created(server, PLANTS), { server });
  await only.inside.getByText("Created.").waitFor();
  await only.button("Undo").click();
  await only.inside.getByText("Undone. Nothing is left of it.").first().waitFor();
  assert.equal(await only.button(/^(Complete|Snooze|Undo)/).count(), 0);
  const { card: taken } = await open(world, "task-list", ok({ undone: "task.batch", tasks: [] }));
  await taken.inside.getByText("Nothing is left of what was made.").waitFor();
  const { card: restored } = await open(world, "task-list", ok({ undone: "task.moved", tasks: [PLANTS] }));
  await restored.button(`Complete: ${PLANTS.title}`).waitFor();
}

async function nothingIsDoneThatWasNotReported(world) {
  const lies = [
    [refusal("conflict", "The task was changed by somebody else.", { faults: [{ argument: "id", message: "read it again" }] }), "The task was changed by somebody else. id: read it again"],
    [ok({ task: { ...REPORT, status: "in_progress" }, changed: true }), "Not completed: MindFlow says it is in_progress."],
    [ok({ task: { ...PLANTS, status: "completed" }, changed: true }), "MindFlow gave an answer that this card does not understand."],
    [{ content: [{ type: "text", text: "Completed!" }] }, "MindFlow gave an answer that this card does not understand."],
    [{ isError: true, content: [{ type: "text", text: "The token has expired." }] }, "The token has expired."],
    [ok({ task: { ...REPORT, status: "completed" }, changed: false }), "It was completed already."],
  ];
  for (const [answer, text] of lies) {
    const server = new Canned();
    server.refuse.complete_task = answer;
    const { card } = await open(world, "task-card", CARD, { server });
    await card.button("Complete").click();
    await card.inside.locator(".notice").getByText(text, { exact: true }).waitFor();
    await card.announces(text);
    assert.deepEqual(await card.said(), [], "nothing is told that did not happen");
    assert.equal(await card.button("Undo").count(), 0);
  }
  const { card } = await open(world, "task-card", CARD, { callTool: () => Promise.reject(new Error("the server is gone")) });
  await card.button("Complete").click();
  await card.inside.getByText("The call did not go through: the server is gone").first().waitFor();
  await card.button("Complete").waitFor();
}

async function emptyAndRefusedResults(world) {
  const shown = [
    ["best-task", ok({ task: null, runners_up: [], at: "2026-11-21T13:00:00Z", time_zone: "UTC" }), "Nothing to do right now"],
    ["task-list", ok({ tasks: [], total: 0, next_cursor: null }), "No tasks"],
    ["task-card", refusal("not_found", "No task matches `dentist`."), "No such task"],
    ["task-list", refusal("unavailable", "The database is away."), "MindFlow is not available right now"],
    ["best-task", { content: [{ type: "text", text: "Plain words" }] }, "Plain words"],
    ["task-card", { content: [{ type: "text", text: JSON.stringify({ task: REPORT }) }] }, REPORT.title],
    ["task-card", ok(null, ""), "Nothing to show yet"],
  ];
  for (const [view, result, words] of shown) {
    const { card } = await open(world, view, result);
    await card.inside.getByText(words).first().waitFor();
    assert.deepEqual(await card.violations(), []);
  }
  const ambiguous = refusal("ambiguous", "Several tasks match `report`.", { candidates: [REPORT, TAXES] });
  const { card } = await open(world, "task-card", ambiguous);
  await card.button(`This one: ${TAXES.title}`).click();
  assert.deepEqual(await card.saying(1), [`I mean the task "${TAXES.title}" (id ${TAXES.id}).`]);
}

async function theProtocol(world) {
  const { card } = await open(world, "task-card", CARD, { input: { id: REPORT.id } });
  await card.button("Complete").waitFor();
  const [first, second] = await card.messages();
  assert.equal(first.method, "ui/initialize");
  assert.equal(first.params.protocolVersion, "2026-01-26");
  assert.deepEqual(first.params.appCapabilities, { availableDisplayModes: ["inline"] });
  assert(first.params.appInfo.name && first.params.appInfo.version);
  assert.equal(second.method, "ui/notifications/initialized", "nothing else before that");
  assert(await card.fits());
  assert((await card.messages("ui/notifications/size-changed")).length > 0);
  assert.deepEqual((await card.ask("ping", "a")).result, {});
  assert.deepEqual((await card.ask("ui/resource-teardown", "b")).result, {});
  assert.equal((await card.ask("sampling/createMessage", "c")).error.code, -32601);
  await card.page.evaluate(() => {
    const { contentWindow } = document.querySelector("iframe");
    for (const odd of [null, 5, "text", {}, { jsonrpc: "2.0" }, { jsonrpc: "2.0", id: 99, result: {} }, { jsonrpc: "2.0", method: "ui/notifications/tool-input-partial", params: null }]) contentWindow.postMessage(odd, "*");
  });
  await card.send({ method: "ui/notifications/tool-result", params: ok({ task: DENTIST }) });
  await card.inside.getByRole("heading", { name: DENTIST.title }).waitFor();
}

async function whatIsCollectedIsToldBeforeTheEnd(world) {
  const { card } = await open(world, "task-list", LIST);
  await card.button(`Complete: ${REPORT.title}`).click();
  await card.button("Undo").waitFor();
  assert.deepEqual((await card.ask("ui/resource-teardown", "end")).result, {});
  assert.equal((await card.said()).length, 1);
}

async function oddHosts(world) {
  const unable = (await open(world, "task-card", CARD, { capabilities: {} })).card;
  await unable.inside.getByText("This chat does not let cards change tasks. Ask in the conversation instead.").waitFor();
  assert(await unable.button("Complete").isDisabled());
  assert(await unable.button("Snooze").isDisabled());

  const echo = (await open(world, "best-task", canned.best(), { echo: true })).card;
  await echo.button("Complete").click();
  await echo.inside.getByText("Completed.", { exact: true }).first().waitFor();
  await echo.saying(1);
  assert.equal(await echo.inside.locator(".runner").count(), 3, "its own result does not replace what is shown");
  assert.equal(await echo.button("Undo").count(), 1);

  const mute = (await open(world, "task-card", CARD, { refuseMessages: true })).card;
  await mute.button("Complete").click();
  await mute.button("Undo").waitFor();
  await mute.page.waitForFunction(() => window.chat.messages.some(({ method }) => method === "ui/update-model-context"));

  const alone = (await open(world, "task-card", CARD, { refuseMessages: true, capabilities: { serverTools: {} } })).card;
  await alone.button("Complete").click();
  await alone.inside.getByText("Completed. The conversation could not be told.").waitFor();

  const cancelled = (await open(world, "task-card", undefined)).card;
  await cancelled.inside.getByText("Loading").waitFor({ state: "attached" });
  assert.deepEqual(await cancelled.violations(), []);
  await cancelled.send({ method: "ui/notifications/tool-cancelled", params: { reason: "user action" } });
  await cancelled.inside.getByRole("heading", { name: "Cancelled" }).waitFor();

  const silent = (await open(world, "task-card", undefined, { deaf: true })).card;
  await silent.inside.getByText("Nothing to show yet").waitFor();
}

async function chatGptsOwnObject(world) {
  for (const deaf of [true, false]) {
    const { structuredContent: toolOutput } = CARD;
    const { card, server } = await open(world, "task-card", CARD, { deaf, capabilities: {}, theme: "dark", scheme: "light", openAi: { toolOutput, toolInput: {}, theme: "dark" } });
    await card.inside.getByRole("heading", { name: REPORT.title }).waitFor();
    await card.button("Complete").click();
    await card.inside.getByText("Completed.", { exact: true }).first().waitFor();
    assert.deepEqual(server.calls, [["complete_task", { id: REPORT.id }]]);
    const wanted = { openai: "sendFollowUpMessage", params: [{ prompt: 'I completed the task "Write the quarterly report".' }] };
    await card.page.waitForFunction((least) => window.chat.messages.filter(({ openai, method }) => openai === "sendFollowUpMessage" || method === "ui/message").length >= least, 1);
    const messages = (await card.messages()).filter(({ openai, method }) => openai === "sendFollowUpMessage" || method === "ui/message");
    assert.equal(messages.length, 1, "told once, by one way");
    if (deaf) assert.deepEqual(messages[0], wanted);
    else assert.equal(messages[0].method, "ui/message", "the standard comes first");
    assert((await card.messages()).some(({ openai }) => openai === "notifyIntrinsicHeight"));
    assert.deepEqual(await card.violations(), []);
  }
}

async function chatGptIsLate(world) {
  const { card } = await open(world, "task-card", undefined, { deaf: true, openAi: { toolOutput: null, theme: "light" } });
  await card.inside.getByText("Loading").waitFor({ state: "attached" });
  await card.frame.evaluate((toolOutput) => {
    Object.assign(window.openai, { toolOutput, theme: "dark" });
    window.dispatchEvent(new CustomEvent("openai:set_globals", { detail: { globals: { toolOutput } } }));
  }, CARD.structuredContent);
  await card.button("Complete").waitFor();
  assert.equal(await card.frame.evaluate(() => document.documentElement.dataset.theme), "dark");
}

async function chatGptShowsTheCardAnew(world) {
  const { structuredContent: toolOutput } = CARD;
  const openAi = { toolOutput, theme: "light" };
  const { card } = await open(world, "task-card", CARD, { deaf: true, openAi });
  await card.button("Snooze").click();
  await card.inside.getByRole("menuitem", { name: "Next week" }).click();
  await card.button("Undo").waitFor();
  const states = async () => (await card.messages()).filter((message) => message.openai === "setWidgetState").map(({ params }) => params[0]);
  const [widgetState] = await states();

  const both = await open(world, "task-card", CARD, { openAi: { ...openAi, widgetState } });
  await until(async () => (await both.card.messages("ui/notifications/initialized")).length > 0, () => "not initialized");
  await both.card.fits();
  await both.card.inside.getByText("Snoozed until Mon 23 Nov 2026, 08:00.").waitFor();
  await both.card.send({ method: "ui/notifications/tool-result", params: ok({ task: { ...REPORT, priority: 1 } }) });
  await both.card.button("Complete").waitFor();

  const anew = await open(world, "task-card", CARD, { deaf: true, openAi: { ...openAi, widgetState } });
  await anew.card.inside.getByText("Snoozed until Mon 23 Nov 2026, 08:00.").waitFor();
  assert.equal(await anew.card.button("Complete").count(), 0);
  await anew.card.button("Undo").click();
  await until(() => anew.server.calls.length > 0, () => "undo was not called");
  assert.deepEqual(anew.server.calls, [["undo", { undo_token: "undo-1" }]]);

  await card.button("Undo").click();
  await card.button("Complete").waitFor();
  assert.deepEqual((await states()).at(-1), { done: {} });
  for (const odd of [null, 5, { done: 5 }, { done: { [REPORT.id]: 5 } }, { done: { [REPORT.id]: { status: "gone", text: "x" } } }]) {
    const other = await open(world, "task-card", CARD, { deaf: true, openAi: { ...openAi, widgetState: odd } });
    await other.card.button("Complete").waitFor();
  }
}

export const checks = {
  completeAndUndo,
  snoozeForEachDuration,
  theKeyboardAlone,
  theBestTaskAndOthers,
  aListThatGrows,
  severalRowsAreToldTogether,
  aPlanAndWhatWasCreated,
  nothingIsDoneThatWasNotReported,
  emptyAndRefusedResults,
  theProtocol,
  whatIsCollectedIsToldBeforeTheEnd,
  oddHosts,
  chatGptsOwnObject,
  chatGptIsLate,
  chatGptShowsTheCardAnew,
  ...looks,
};

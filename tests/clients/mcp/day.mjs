// A day with a list of tasks, as an assistant works through it; what every client of the protocol must be able to do.

import assert from "node:assert/strict";

import Ajv2020 from "ajv/dist/2020.js";

import { callApi, newPerson } from "./world.mjs";

/** What a host is offered, and nothing else. */
export const TOOLS = [
  "complete_task",
  "create_task",
  "delete_task",
  "explain_task",
  "fetch",
  "get_best_task",
  "get_ranked_tasks",
  "get_tasks",
  "plan_day",
  "reschedule_task",
  "search",
  "snooze_task",
  "undo",
  "update_task",
];
const ANNOTATIONS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
/** Of a scope that a host may be given; the schemes stand beside the name for hosts that ask for them there. */
const SCOPES = { true: ["read"], false: ["read", "write"] };

/** Makes a person who lives in Vienna. */
export async function newViennese(server, email) {
  const person = await newPerson(server, email);
  const session = await signIn(server, person);
  const moved = await callApi(server, "/api/auth/me", session, {
    method: "PATCH",
    body: JSON.stringify({ time_zone: "Europe/Vienna" }),
  });
  assert.equal(moved.status, 200, await moved.text());
  return { ...person, session };
}

async function signIn(server, { email, password }) {
  const response = await callApi(server, "/api/auth/login", "", { method: "POST", body: JSON.stringify({ email, password }) });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).access_token;
}

/** Calls tools by name, and holds every result against the schema of its tool. */
export class Desk {
  #call;
  #rules;

  /** `call(name, args)` gives a tool's result, `tools` is what the server lists. */
  constructor(tools, call) {
    this.#call = call;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    this.#rules = new Map(tools.map((tool) => [tool.name, ajv.compile(tool.outputSchema)]));
  }

  /** A call whatever comes of it. */
  async try(name, args = {}) {
    const result = await this.#call(name, args);
    const said = `${name} ${JSON.stringify(args)}: ${JSON.stringify(result)}`;
    const rule = this.#rules.get(name);
    assert(rule(result.structuredContent), `${said}\n${JSON.stringify(rule.errors)}`);
    assert.equal(result.content.length, 1, said);
    assert.equal(result.content[0].type, "text", said);
    const { isError = false, structuredContent: data } = result;
    assert.equal(isError, "error" in data, said);
    return { isError, data, text: result.content[0].text, said };
  }

  /** A call that must not be refused; what it gives to programs. */
  async do(name, args) {
    const { isError, data, said } = await this.try(name, args);
    assert.equal(isError, false, said);
    return data;
  }
}

/** What is listed is complete, and described as hosts need it. */
export function assertToolsAreDescribed(tools) {
  assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS);
  for (const tool of tools) {
    const { name, title, description, inputSchema, outputSchema, annotations, _meta: meta } = tool;
    assert(title && description && outputSchema, name);
    assert.equal(inputSchema.type, "object", name);
    for (const hint of ANNOTATIONS) assert.equal(typeof annotations[hint], "boolean", `${name}: ${hint}`);
    assert.equal(annotations.destructiveHint, name === "delete_task", name);
    const scheme = { type: "oauth2", scopes: SCOPES[annotations.readOnlyHint] };
    assert.deepEqual(meta.securitySchemes, [scheme], name);
  }
}

/**
 * Lists, makes, asks, puts off by words, completes and takes back. `host` has `list()` and `call(name, args)`; one that `isSlow` is not asked for what the results
 * have told already.
 */
export async function liveADay(host) {
  const tools = await host.list();
  assertToolsAreDescribed(tools);
  const desk = new Desk(tools, (name, args) => host.call(name, args));

  const { tasks: made } = await desk.do("create_task", {
    tasks: [
      { title: "Write the quarterly report", priority: "high", due_date: "tomorrow 5pm", effort_estimate_minutes: 90 },
      { title: "Call the dentist", effort_estimate_minutes: 10 },
    ],
  });
  const [report, dentist] = made;
  assert(report.priority > dentist.priority, JSON.stringify(made));

  const best = await desk.do("get_best_task", {});
  assert.equal(best.task.id, report.id);
  assert.equal(best.time_zone, "Europe/Vienna");
  assert.deepEqual(best.runners_up.map((task) => task.id), [dentist.id]);

  const snoozed = await desk.do("snooze_task", { query: "the report", phrase: "monday morning" });
  assert.equal(snoozed.task.id, report.id);
  assert.equal(snoozed.task.status, "snoozed");
  assert.equal(new Date(snoozed.task.snoozed_until).getUTCDay(), 1);
  if (!host.isSlow) assert.equal((await desk.do("get_best_task", {})).task.id, dentist.id);

  const done = await desk.do("complete_task", { query: "dentist" });
  assert.equal(done.task.id, dentist.id);
  assert.equal(done.task.status, "completed");
  if (!host.isSlow) assert.equal((await desk.do("get_best_task", {})).task, null);

  const undone = await desk.do("undo", {});
  assert.deepEqual(undone.tasks.map(({ id, status }) => ({ id, status })), [{ id: dentist.id, status: "pending" }]);
  if (!host.isSlow) {
    const { tasks: open, total } = await desk.do("get_tasks", {});
    assert.equal(total, 2);
    assert.deepEqual(new Set(open.map((task) => task.id)), new Set([report.id, dentist.id]));
  }

  // A model must not take a refusal for a success, nor a client for a broken result.
  const refused = await desk.try("complete_task", { query: "the tax return" });
  assert.equal(refused.isError, true);
  assert.equal(refused.data.error.kind, "not_found");
}

// What a person does in a first hour, by a client whose types openapi-typescript made from the document.
//
//     node scenario.js http://127.0.0.1:8000

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";

type Task = components["schemas"]["Task"];

const baseUrl = process.argv[2];
assert(baseUrl, "usage: scenario.js URL");

const client = createClient<paths>({ baseUrl });
const credentials = { email: "ada@example.org", password: "correct horse battery staple" };

// The value of an answer that has to be good.
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert(answer.response.ok, `${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data as T;
}

async function signIn(): Promise<void> {
  const user = good(await client.POST("/api/auth/register", { body: { ...credentials, time_zone: "Europe/Vienna" } }));
  assert.equal(user.email, credentials.email);
  const signedIn = good(await client.POST("/api/auth/login", { body: credentials }));
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${signedIn.access_token}`);
      return request;
    },
  });
  assert.equal(good(await client.GET("/api/auth/me")).id, user.id);
}

async function makeTasks(): Promise<Task[]> {
  const made: Task[] = [];
  for (const [title, priority] of [["Water the plants", 1], ["Write the report", 5], ["Call the bank", 3]] as const) {
    const body = { title, priority, labels: ["home", "first hour"], due_date: "2030-12-24" };
    made.push(good(await client.POST("/api/tasks", { body })));
  }
  assert.deepEqual(made[0]?.labels, ["first hour", "home"]);
  assert.equal(made[0]?.due_date, "2030-12-24");
  return made;
}

async function readPages(expected: Task[]): Promise<void> {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: 2 } : { limit: 2, cursor };
    const answer = await client.GET("/api/tasks", { params: { query } });
    const page = good(answer);
    assert.equal(answer.response.headers.get("x-total-count"), "3");
    seen.push(...page.items.map((task) => task.id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(new Set(seen), new Set(expected.map((task) => task.id)));
  assert.equal(seen.length, expected.length);
}

async function finishTheBest(expected: Task): Promise<void> {
  const best = good(await client.GET("/api/tasks/best"));
  assert.equal(best.task.id, expected.id);
  assert.equal(best.score, best.reasoning.total_score);

  const path = { task_id: best.task.id };
  const completed = await client.POST("/api/tasks/{task_id}/complete", { params: { path } });
  assert.equal(good(completed).status, "completed");
  assert.notEqual(good(await client.GET("/api/tasks/best")).task.id, expected.id);

  const token = completed.response.headers.get("undo-token");
  assert(token, "a change can be taken back");
  good(await client.POST("/api/undo", { body: { token } }));
  assert.equal(good(await client.GET("/api/tasks/{task_id}", { params: { path } })).status, "pending");
}

async function loseAnUpdate(task: Task): Promise<void> {
  const path = { task_id: task.id };
  const read = await client.GET("/api/tasks/{task_id}", { params: { path } });
  const etag = read.response.headers.get("etag");
  assert(etag, "a task has an entity tag");
  const header = { "If-Match": etag };
  good(await client.PATCH("/api/tasks/{task_id}", { params: { path, header }, body: { due_date: null, priority: 2 } }));
  const lost = await client.PATCH("/api/tasks/{task_id}", { params: { path, header }, body: { priority: 4 } });
  assert.equal(lost.response.status, 412);
  assert.equal(lost.error?.status, 412);
  const kept = good(await client.GET("/api/tasks/{task_id}", { params: { path } }));
  assert.deepEqual([kept.priority, kept.due_date], [2, null]);
}

async function hearAllFaults(): Promise<void> {
  const refused = await client.POST("/api/tasks", { body: { title: "", priority: 9 } });
  assert.equal(refused.response.status, 422);
  assert(refused.response.headers.get("content-type")?.startsWith("application/problem+json"));
  assert(refused.error);
  const fields = refused.error.errors?.map((fault) => fault.field) ?? [];
  assert.deepEqual(new Set(fields), new Set(["/title", "/priority"]));
  assert.equal(refused.error.request_id, refused.response.headers.get("x-request-id"));
}

await signIn();
const tasks = await makeTasks();
const [plants, report] = tasks;
assert(plants && report);
await readPages(tasks);
await finishTheBest(report);
await loseAnUpdate(plants);
await hearAllFaults();
console.log("ok");

// Makes the call of each phrase, and holds the answer against what it must tell the person.
//
//     node said.mjs http://127.0.0.1:8000
//
// What a phrase changed is taken back before the next one, so that none depends on another.

import assert from "node:assert/strict";

import { Desk, newViennese } from "./day.mjs";
import { DONE, PHRASES, TASKS } from "./phrases.mjs";
import { Session } from "./session.mjs";
import { callApi } from "./world.mjs";

const [server] = process.argv.slice(2);
const WEEK = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MORNING = 10;

/** The zone where it is ten in the morning now: what people say depends on the hour, and the test must not. */
function zoneInTheMorning(now) {
  const east = (((MORNING - now.getUTCHours() + 36) % 24) + 24) % 24 - 12;
  // The signs of these zones are those of POSIX.
  return east === 0 ? "UTC" : `Etc/GMT${east > 0 ? "-" : "+"}${Math.abs(east)}`;
}

/** What people call days, and how those are written in `zone`. */
function daysFrom(now, zone) {
  const [today] = new Date(now).toLocaleString("sv", { timeZone: zone }).split(" ");
  const on = (days) => new Date(Date.parse(today) + days * 86_400_000);
  const write = (date) => {
    const part = (options) => date.toLocaleString("en-GB", { ...options, timeZone: "UTC" });
    return `${part({ weekday: "short" })} ${date.getUTCDate()} ${part({ month: "short" }).slice(0, 3)}`;
  };
  const iso = (date) => date.toISOString().slice(0, 10);
  const weekday = on(0).getUTCDay();
  return {
    today: write(on(0)),
    tomorrow: write(on(1)),
    yesterday: write(on(-1)),
    yesterday_iso: iso(on(-1)),
    monday_before_iso: iso(on(-((weekday + 6) % 7))),
    // The next such day, never today.
    ...Object.fromEntries(WEEK.map((name, day) => [name, write(on(((day - weekday + 6) % 7) + 1))])),
  };
}

/** The same with every day in braces written out. */
function filledIn(value, days) {
  const text = JSON.stringify(value).replace(/\{(\w+)\}/g, (whole, name) => days[name] ?? whole);
  return JSON.parse(text);
}

const now = new Date();
const zone = zoneInTheMorning(now);
const days = daysFrom(now, zone);
const person = await newViennese(server, "said@example.org");
const moved = await callApi(server, "/api/auth/me", person.session, {
  method: "PATCH",
  body: JSON.stringify({ time_zone: zone }),
});
assert.equal(moved.status, 200, await moved.text());

const session = await Session.of(server, person);
const { tools } = await session.request("tools/list");
// ChatGPT looks for the schemes beside the name; the SDKs leave out what they do not know.
for (const tool of tools) assert.deepEqual(tool.securitySchemes, tool._meta.securitySchemes, tool.name);
const desk = new Desk(tools, (name, args) => session.request("tools/call", { name, arguments: args }));
const { tasks } = await desk.do("create_task", { tasks: filledIn(TASKS, days) });
await desk.do("complete_task", { id: tasks.find((task) => task.title === DONE).id });

const faults = [];
for (const { phrase, after, tool, args, refused, says, hides = [] } of filledIn(PHRASES, days)) {
  if (after) await desk.do(after.tool, after.args);
  const { data, text, said } = await desk.try(tool, args);
  const wrong = [
    ...(data.error?.kind === refused ? [] : [`is ${data.error?.kind ?? "done"}, not ${refused ?? "done"}`]),
    ...says.filter((part) => !text.includes(part)).map((part) => `does not say ${JSON.stringify(part)}`),
    ...hides.filter((part) => text.includes(part)).map((part) => `says ${JSON.stringify(part)}`),
  ];
  faults.push(...wrong.map((fault) => `${JSON.stringify(phrase)} ${fault}\n    ${said}`));
  if (data.undo_token) await desk.do("undo", { undo_token: data.undo_token });
}
assert.equal(faults.length, 0, `\n${faults.join("\n")}\n${faults.length} faults`);
assert(PHRASES.length >= 30);
console.log(`ok: ${PHRASES.length} phrases`);

// What is known of a task, in a line of short words.

import type { Task } from "../contract.ts";
import { h, icon, type Child } from "../dom.ts";
import { label, minutes } from "../format.ts";

const PRIORITIES = ["lowest", "low", "medium", "high", "highest"];

function due(task: Task): Child {
  if (task.due_text === undefined) return null;
  if (task.overdue) return h("li", { class: "fact late" }, icon("alert"), `Overdue: ${task.due_text}`);
  return h("li", { class: "fact" }, icon("calendar"), h("span", { class: "hush" }, "Due "), task.due_text);
}

function priority(task: Task): Child {
  const level = task.priority;
  const word = level === undefined ? undefined : PRIORITIES[level - 1];
  if (level === undefined || word === undefined) return null;
  const bars = PRIORITIES.map((_, at) => h("i", { class: at < level ? "on" : "" }));
  return h("li", { class: "fact" }, h("span", { class: "bars", "aria-hidden": "true" }, ...bars), `${label(word)} priority`);
}

/** For a card, and shorter for a row. */
export function facts(task: Task): HTMLElement {
  const snoozed = task.status === "snoozed" && task.snoozed_text !== undefined;
  const effort = task.effort_estimate_minutes;
  return h("ul", { class: "facts" },
    due(task),
    snoozed && h("li", { class: "fact" }, icon("moon"), `Snoozed until ${task.snoozed_text}`),
    priority(task),
    effort !== undefined && h("li", { class: "fact" }, icon("clock"), h("span", { class: "hush" }, "Takes "), minutes(effort)),
    task.preferred_time !== undefined && h("li", { class: "fact" }, icon("sun"), label(task.preferred_time)),
    ...task.labels.map((name) => h("li", { class: "tag" }, h("span", { class: "hush" }, "Label "), h("bdi", {}, name))),
  );
}

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

function bars(level: number, word: string): Child {
  return h("span", { class: "bars", "aria-hidden": "true", title: `${label(word)} priority` }, ...PRIORITIES.map((_, at) => h("i", { class: at < level ? "on" : "" })));
}

function priority(task: Task, brief: boolean): Child {
  const level = task.priority;
  const word = level === undefined ? undefined : PRIORITIES[level - 1];
  if (level === undefined || word === undefined) return null;
  return h("li", { class: "fact" }, bars(level, word), h("span", { class: brief ? "hush" : "" }, `${label(word)} priority`));
}

/** `brief` is for rows, where others of its kind stand above and below. */
export function facts(task: Task, brief = false): HTMLElement {
  const snoozed = task.status === "snoozed" && task.snoozed_text !== undefined;
  const effort = task.effort_estimate_minutes;
  return h("ul", { class: "facts" },
    due(task),
    snoozed && h("li", { class: "fact" }, icon("moon"), `Snoozed until ${task.snoozed_text}`),
    priority(task, brief),
    effort !== undefined && h("li", { class: "fact" }, icon("clock"), h("span", { class: "hush" }, "Takes "), minutes(effort)),
    !brief && task.preferred_time !== undefined && h("li", { class: "fact" }, icon("sun"), label(task.preferred_time)),
    ...task.labels.map((name) => h("li", { class: "tag" }, h("span", { class: "hush" }, "Label "), h("bdi", {}, name))),
  );
}

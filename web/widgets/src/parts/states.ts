// What is shown when there is no task to show.

import type { App } from "../app.ts";
import { refusalText } from "../actions.ts";
import type { Refusal, Task } from "../contract.ts";
import { h, icon, prose, type Child, type Icon } from "../dom.ts";
import { quote } from "../format.ts";
import { facts } from "./facts.ts";

function message(drawing: Icon, title: string, ...more: Child[]): HTMLElement {
  return h("section", { class: "card state" }, h("h1", { class: "state-title" }, icon(drawing), title), ...more);
}

export function loading(): HTMLElement {
  const lines = ["short", "long", "middle"].map((width) => h("span", { class: `bone ${width}` }));
  return h("section", { class: "card", "aria-busy": "true" }, h("h1", { class: "hush" }, "Loading"), h("div", { class: "bones", "aria-hidden": "true" }, ...lines));
}

/** `alone` without a host, otherwise the host has not yet passed on anything. */
export function silence(alone: boolean): HTMLElement {
  if (alone) return message("info", "Nothing to show", h("p", {}, "This card shows tasks inside a chat that is connected to MindFlow."));
  return message("info", "Nothing to show yet", h("p", {}, "The card shows tasks as soon as the chat passes on what MindFlow has answered."));
}

export function cancelled(): HTMLElement {
  return message("info", "Cancelled", h("p", {}, "The call was stopped before MindFlow answered. Whether anything has changed is not known."));
}

export function nothingToDo(): HTMLElement {
  return message("check", "Nothing to do right now", h("p", {}, "No task is waiting. What is snoozed comes back by itself."));
}

export function noTasks(): HTMLElement {
  return message("info", "No tasks", h("p", {}, "There are none that fit what was asked for."));
}

export function plainText(text: string): HTMLElement {
  return text === "" ? silence(false) : h("section", { class: "card" }, h("h1", { class: "hush" }, "MindFlow"), h("p", { class: "text", dir: "auto" }, text));
}

/** Which of the candidates is meant is said in the conversation: the model goes on with what it was doing. */
function candidate(task: Task, app: App): HTMLElement {
  const said = h("button", { type: "button", class: "second", "aria-label": `This one: ${task.title}` }, "This one");
  said.addEventListener("click", () => {
    void app.host.tell(`I mean the task ${quote(task.title)} (id ${task.id}).`).then((told) => {
      const text = told ? "Said in the conversation." : "The conversation could not be told.";
      said.replaceWith(h("p", { class: "quiet", tabindex: "-1" }, text));
      app.announce(text);
    });
  });
  return h("li", { class: "row candidate" }, h("p", { class: "row-title", dir: "auto" }, task.title), said, facts(task, true));
}

const TITLES: Record<string, string> = {
  ambiguous: "Which task is meant?",
  not_found: "No such task",
  invalid: "That was not understood",
  conflict: "The task has changed meanwhile",
  unavailable: "MindFlow is not available right now",
};

export function refused(refusal: Refusal, app: App): HTMLElement {
  const { kind, candidates } = refusal;
  return message("alert", TITLES[kind] ?? "That did not work",
    h("p", {}, ...prose(refusalText(refusal))),
    candidates.length > 0 && h("ul", { class: "rows" }, ...candidates.map((task) => candidate(task, app))),
  );
}

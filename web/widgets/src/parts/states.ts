// What is shown when there is no task to show.

import type { App } from "../app.ts";
import { refusalText } from "../actions.ts";
import type { Refusal, Task } from "../contract.ts";
import { h, icon, type Child, type Icon } from "../dom.ts";
import { quote } from "../format.ts";
import { facts } from "./facts.ts";

function message(drawing: Icon, title: string, ...more: Child[]): HTMLElement {
  return h("section", { class: "card state" }, h("h2", { class: "state-title" }, icon(drawing), title), ...more);
}

export function loading(): HTMLElement {
  const lines = ["short", "long", "middle"].map((width) => h("span", { class: `bone ${width}` }));
  return h("section", { class: "card", "aria-busy": "true" }, h("p", { class: "hush" }, "Loading"), h("div", { class: "bones", "aria-hidden": "true" }, ...lines));
}

export function silence(): HTMLElement {
  return message("info", "Nothing to show here", h("p", {}, "This card shows tasks inside a chat that is connected to MindFlow. It was given none."));
}

export function cancelled(): HTMLElement {
  return message("info", "Cancelled", h("p", {}, "The call was stopped before MindFlow answered. Whether anything has changed is not known."));
}

export function nothingToDo(): HTMLElement {
  return message("check", "Nothing to do right now", h("p", {}, "No task is waiting. What is snoozed comes back by itself."));
}

export function plainText(text: string): HTMLElement {
  return text === "" ? silence() : h("section", { class: "card" }, h("p", { class: "description", dir: "auto" }, text));
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
  return h("li", { class: "row" }, h("div", { class: "row-body" }, h("p", { class: "row-title", dir: "auto" }, task.title), facts(task)), said);
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
    h("p", { dir: "auto" }, refusalText(refusal)),
    candidates.length > 0 && h("ul", { class: "rows" }, ...candidates.map((task) => candidate(task, app))),
  );
}

// Tasks in rows: a list with its next pages, a day's plan, what has just been created.

import "../styles/base.css";
import "../styles/list.css";
import { refusalText } from "../actions.ts";
import { start, type App } from "../app.ts";
import type { Answer, DayAnswer, ListAnswer, Task } from "../contract.ts";
import { h, redraw, type Child } from "../dom.ts";
import { count, day, minutes } from "../format.ts";
import { changes, isChange } from "../parts/changes.ts";
import { frame } from "../parts/frame.ts";
import { Row } from "../parts/row.ts";
import { noTasks, nothingToDo, plainText, refused } from "../parts/states.ts";

/** A list that grows by pages. */
class Pages {
  readonly #app: App;
  readonly #rows = h("ul", { class: "rows" });
  readonly #foot = h("div", { class: "foot" });
  readonly #shown = new Set<string>();
  readonly #total: number | undefined;
  #cursor: string | undefined;
  #busy = false;
  #fault = "";

  constructor(app: App, answer: ListAnswer) {
    this.#app = app;
    this.#total = answer.total;
    this.#cursor = answer.nextCursor;
    this.#append(answer.tasks);
    app.onAbility(() => this.#draw());
    this.#draw();
  }

  get elements(): HTMLElement[] {
    return [this.#rows, this.#foot];
  }

  /** What another page has again, because something moved meanwhile, stays where it is. */
  #append(tasks: Task[]): Row[] {
    const rows = tasks.filter((task) => !this.#shown.has(task.id)).map((task) => new Row(this.#app, { task }));
    tasks.forEach((task) => this.#shown.add(task.id));
    this.#rows.append(...rows.map((row) => row.root));
    return rows;
  }

  #draw(): void {
    const of = this.#total === undefined ? "" : ` of ${this.#total}`;
    redraw(this.#foot, [
      this.#cursor !== undefined && h("p", { class: "quiet" }, `${this.#shown.size}${of} shown`),
      this.#cursor !== undefined && h("button", {
        type: "button",
        class: "second",
        "data-key": "more",
        disabled: this.#app.host.ability !== "able",
        "aria-disabled": this.#busy ? "true" : null,
        onclick: () => void this.#more(),
      }, this.#busy ? "Loading…" : "Show more"),
      this.#fault !== "" && h("p", { class: "bad" }, this.#fault),
    ]);
  }

  /** A cursor belongs to the call that gave it: the same tool, the same arguments. */
  async #more(): Promise<void> {
    if (this.#busy || this.#cursor === undefined) return;
    this.#busy = true;
    this.#draw();
    const { host } = this.#app;
    const tool = host.toolName.endsWith("get_ranked_tasks") || (host.toolName === "" && this.#allScored()) ? "get_ranked_tasks" : "get_tasks";
    const answer = await host.call(tool, { ...host.toolArguments, cursor: this.#cursor });
    this.#busy = false;
    this.#fault = answer.kind === "list" ? "" : answer.kind === "refused" ? refusalText(answer.refusal) : "MindFlow gave an answer that this card does not understand.";
    if (answer.kind === "list") {
      this.#cursor = answer.nextCursor;
      const rows = this.#append(answer.tasks);
      rows[0]?.focus();
      this.#app.announce(`${count(rows.length, "more task")} shown.`);
    } else {
      this.#app.announce(this.#fault);
    }
    this.#draw();
  }

  #allScored(): boolean {
    return this.#rows.querySelectorAll(".row").length === this.#rows.querySelectorAll(".row-score").length;
  }
}

function plan(answer: DayAnswer, app: App): HTMLElement {
  const slots = answer.slots.map(({ task, start_text, end_text }) => {
    const time = h("p", { class: "slot" }, start_text, h("span", { class: "hush" }, " to "), h("span", { "aria-hidden": "true" }, "–"), end_text);
    return new Row(app, { task, before: time }).root;
  });
  const left = answer.leftOut.map((task) => new Row(app, { task }).root);
  return frame(`Plan for ${day(answer.date)}`, `${minutes(answer.plannedMinutes)} planned`, app,
    slots.length > 0 ? h("ol", { class: "rows" }, ...slots) : h("p", {}, "Nothing fits into this day."),
    left.length > 0 && h("section", { class: "left" }, h("h2", {}, "Left out"), h("ul", { class: "rows" }, ...left)),
  );
}

function list(answer: ListAnswer, app: App): Child {
  if (isChange(answer)) return changes(answer, app);
  if (answer.tasks.length === 0) return noTasks();
  const total = answer.total ?? answer.tasks.length;
  return frame("Tasks", count(total, "task"), app, ...new Pages(app, answer).elements);
}

function show(answer: Answer, app: App): Child {
  switch (answer.kind) {
    case "task":
      return answer.task ? frame("Task", "", app, h("ul", { class: "rows" }, new Row(app, { task: answer.task }).root)) : nothingToDo();
    case "list":
      return list(answer, app);
    case "day":
      return plan(answer, app);
    case "refused":
      return refused(answer.refusal, app);
    case "text":
      return plainText(answer.text);
  }
}

/** Long enough to tick several tasks, short enough for the answer to come while one still thinks of them. */
const PAUSE_MS = 2_500;

start({ pauseMs: PAUSE_MS, show });

// The one task to do now, why, and what comes next.

import "../styles/base.css";
import "../styles/panel.css";
import { start, type App } from "../app.ts";
import type { Answer, Task, TaskAnswer } from "../contract.ts";
import { h, icon, type Child } from "../dom.ts";
import { decimal } from "../format.ts";
import { Panel, type PanelContent } from "../parts/panel.ts";
import { nothingToDo, plainText, refused } from "../parts/states.ts";

const QUESTION = "What should I do next?";

/** The tasks of one answer, of which one is looked at. */
class Choice {
  readonly root = h("div", { class: "stack" });
  readonly #app: App;
  readonly #tasks: PanelContent[];
  #at = 0;

  constructor(app: App, best: TaskAnswer, task: Task) {
    this.#app = app;
    const eyebrow = best.runnersUp.length > 0 || best.changed === undefined ? "Do this now" : "Task";
    const runnersUp = best.runnersUp.map((other) => ({ eyebrow: "Or this", task: other, score: other.score, parts: [] }));
    this.#tasks = [{ ...best, eyebrow, task }, ...runnersUp];
    this.#show();
  }

  #show(): void {
    const content = this.#tasks[this.#at];
    if (!content) return;
    const panel = new Panel(this.#app, { ...content, question: QUESTION, other: () => this.#other(), below: () => this.#rest() });
    this.root.replaceChildren(panel.root);
  }

  #look(at: number, focus: string): void {
    this.#at = at;
    this.#show();
    this.root.querySelector<HTMLElement>(`[data-key="${focus}"]`)?.focus();
    const task = this.#tasks[at]?.task;
    if (task) this.#app.announce(`Now shown: ${task.title}`);
    void this.#explain(at);
  }

  /** Runners-up come without reasons; they are asked for when somebody looks. */
  async #explain(at: number): Promise<void> {
    const content = this.#tasks[at];
    if (!content || content.parts.length > 0 || this.#app.host.ability !== "able") return;
    const answer = await this.#app.host.call("explain_task", { id: content.task.id });
    if (answer.kind !== "task" || answer.task?.id !== content.task.id) return;
    const { parts, recommendation, score } = answer;
    this.#tasks[at] = { ...content, parts, recommendation, score: score ?? content.score };
    if (this.#at === at) this.#refresh();
  }

  #refresh(): void {
    const key = this.root.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : null;
    this.#show();
    if (key) this.root.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  #other(): Child {
    if (this.#tasks.length < 2) return null;
    const next = (this.#at + 1) % this.#tasks.length;
    return h("button", { type: "button", class: "plain", "data-key": "other", onclick: () => this.#look(next, "other") },
      icon("swap"), next === 0 ? "Back to the best" : "Something else");
  }

  #rest(): Child {
    const rest = this.#tasks.map((content, at) => ({ ...content, at })).filter(({ at }) => at !== this.#at);
    if (rest.length === 0) return null;
    return h("section", { class: "rest" },
      h("h2", {}, this.#at === 0 ? "Next in line" : "The others"),
      h("ol", { class: "others" }, ...rest.map(({ task, score, at }) => h("li", {}, runner(task, score, () => this.#look(at, "other"))))),
    );
  }
}

function runner(task: Task, score: number | undefined, look: () => void): HTMLElement {
  return h("button", { type: "button", class: "runner", onclick: look },
    h("span", { class: "runner-title", dir: "auto" }, task.title),
    task.due_text !== undefined && h("span", { class: task.overdue ? "runner-due late" : "runner-due" }, task.overdue ? `Overdue: ${task.due_text}` : task.due_text),
    score !== undefined && h("span", { class: "runner-score" }, h("span", { class: "hush" }, "Score "), decimal(score)),
  );
}

function show(answer: Answer, app: App): Child {
  switch (answer.kind) {
    case "task":
      return answer.task ? new Choice(app, answer, answer.task).root : nothingToDo();
    case "list":
    case "day":
      return nothingToDo();
    case "refused":
      return refused(answer.refusal, app);
    case "text":
      return plainText(answer.text);
  }
}

start({ pauseMs: 0, show });

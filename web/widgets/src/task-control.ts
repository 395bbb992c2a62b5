// What happens to one task while it is shown: the action under way, its outcome, the way back.

import { complete, snooze, undo, type Outcome } from "./actions.ts";
import type { App } from "./app.ts";
import type { Task } from "./contract.ts";
import type { Focus } from "./dom.ts";
import type { Snooze } from "./snooze.ts";

export type Action = "complete" | "snooze" | "undo";

export interface Notice {
  tone: "good" | "bad";
  text: string;
  undoToken?: string;
}

export interface Beginning {
  /** What the tool's result says of what it did. */
  notice?: Notice | undefined;
  /** What the conversation is asked after something was done. */
  question?: string | undefined;
  gone?: boolean | undefined;
}

export class TaskControl {
  readonly #app: App;
  readonly #onChange: (focus?: Focus) => void;
  readonly #question: string;
  task: Task;
  underWay: Action | undefined;
  notice: Notice | undefined;
  menuOpen = false;
  /** Done with here: nothing is offered but the way back. */
  settled: boolean;
  /** Nothing can be done with it any more. */
  gone: boolean;

  constructor(app: App, task: Task, onChange: (focus?: Focus) => void, { notice, question = "", gone = false }: Beginning = {}) {
    this.#app = app;
    this.#onChange = onChange;
    this.#question = question;
    const kept = app.memory.recall(task.id);
    this.task = kept ? { ...task, status: kept.status } : task;
    this.notice = kept ? { tone: "good", ...kept } : notice;
    this.settled = kept !== undefined || task.status === "completed";
    this.gone = gone;
  }

  get able(): boolean {
    return this.#app.host.ability === "able";
  }

  toggleMenu(open = !this.menuOpen): void {
    this.menuOpen = open;
    this.#onChange({ keys: [open ? "snooze 0" : "snooze"], always: true });
  }

  async complete(): Promise<void> {
    await this.#run("complete", () => complete(this.#app.host, this.task));
  }

  async snooze(choice: Snooze): Promise<void> {
    await this.#run("snooze", () => snooze(this.#app.host, this.task, choice));
  }

  async undo(): Promise<void> {
    const token = this.notice?.undoToken;
    if (token === undefined) return;
    await this.#run("undo", () => undo(this.#app.host, token, [this.task]));
  }

  async #run(action: Action, act: () => Promise<Outcome>): Promise<void> {
    if (this.underWay || !this.able) return;
    this.underWay = action;
    this.menuOpen = false;
    this.#onChange({ keys: [action] });
    const outcome = await act();
    this.underWay = undefined;
    this.#take(action, outcome);
    this.#app.announce(outcome.text);
    this.#onChange({ keys: this.settled ? ["undo", "notice"] : [action, "complete", "notice"] });
    await this.#tell(action, outcome);
  }

  #take(action: Action, outcome: Outcome): void {
    // Answers about a change carry no score.
    const score = outcome.task?.score ?? this.task.score;
    if (outcome.task) this.task = { ...outcome.task, ...(score === undefined ? {} : { score }) };
    const kept = action === "undo" && !outcome.done ? this.notice?.undoToken : undefined;
    const undoToken = outcome.undoToken ?? kept;
    this.notice = { tone: outcome.done ? "good" : "bad", text: outcome.text, ...(undoToken === undefined ? {} : { undoToken }) };
    if (outcome.done) this.settled = action !== "undo";
    if (outcome.gone) this.gone = true;
    if (outcome.done) this.#remember();
    else if (outcome.task) this.settled = outcome.task.status === "completed";
  }

  #remember(): void {
    const { status } = this.task;
    const { text, undoToken } = this.notice ?? { text: "" };
    const kept = this.settled && status !== undefined ? { status, text, ...(undoToken === undefined ? {} : { undoToken }) } : undefined;
    this.#app.memory.keep(this.task.id, kept);
  }

  async #tell(action: Action, outcome: Outcome): Promise<void> {
    if (outcome.message === undefined) return;
    if (action === "undo" && this.#app.followUps.forget(this.task.id)) return;
    const text = action === "undo" || this.#question === "" ? outcome.message : `${outcome.message} ${this.#question}`;
    const told = await this.#app.followUps.add({ about: this.task.id, text });
    if (told || !this.notice) return;
    this.notice = { ...this.notice, text: `${this.notice.text} The conversation could not be told.` };
    this.#onChange();
  }
}

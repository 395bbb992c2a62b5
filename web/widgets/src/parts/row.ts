// One task as a row of a list: a box to tick, a moon to snooze.

import type { App } from "../app.ts";
import type { Task } from "../contract.ts";
import { h, icon, redraw, type Child, type Focus } from "../dom.ts";
import { decimal } from "../format.ts";
import { TaskControl } from "../task-control.ts";
import { facts } from "./facts.ts";
import { notice } from "./notice.ts";
import { snoozeMenu } from "./snooze-menu.ts";

let rows = 0;

export interface RowContent {
  task: Task;
  /** Shown before the title, such as the time of a slot. */
  before?: Child;
  /** Nothing can be done with it, such as with what was taken back. */
  gone?: boolean;
}

export class Row {
  readonly root: HTMLElement;
  readonly #control: TaskControl;
  readonly #content: RowContent;
  readonly #menu: string;

  constructor(app: App, content: RowContent) {
    rows += 1;
    this.#menu = `snooze${rows}`;
    this.#content = content;
    this.root = h("li", { class: "row" });
    this.#control = new TaskControl(app, content.task, (focus) => this.draw(focus), { gone: content.gone });
    app.onAbility(() => this.draw());
    this.draw();
  }

  /** Moves the focus to the row. */
  focus(): void {
    this.root.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
  }

  draw(focus?: Focus): void {
    const control = this.#control;
    const { task, menuOpen } = control;
    const over = task.status === "completed";
    redraw(this.root, [
      this.#tick(over),
      h("div", { class: "row-title" },
        this.#content.before,
        h("p", { class: over || control.gone ? "over" : "", dir: "auto" }, task.title),
      ),
      h("div", { class: "row-end" },
        task.score !== undefined && h("p", { class: "row-score" }, h("span", { class: "hush" }, "Score "), decimal(task.score)),
        this.#moon(),
      ),
      control.settled && control.notice ? null : facts(task, true),
      notice(control),
      menuOpen && snoozeMenu(this.#menu, (choice) => void control.snooze(choice), () => control.toggleMenu(false)),
    ], focus);
  }

  #tick(over: boolean): HTMLElement {
    const control = this.#control;
    if (control.settled || control.gone) return h("span", { class: over ? "tick done" : "tick put" }, over ? icon("check") : !control.gone && icon("moon"), over && h("span", { class: "hush" }, "Completed: "));
    return h("button", {
      type: "button",
      class: control.underWay === "complete" ? "tick busy" : "tick",
      disabled: !control.able,
      "data-key": "complete",
      "aria-disabled": control.underWay ? "true" : null,
      "aria-label": `Complete: ${control.task.title}`,
      title: "Complete",
      onclick: () => void control.complete(),
    }, icon("check"));
  }

  #moon(): Child {
    const control = this.#control;
    if (control.settled || control.gone) return null;
    return h("button", {
      type: "button",
      class: control.underWay === "snooze" ? "round busy" : "round",
      disabled: !control.able,
      "data-key": "snooze",
      "aria-disabled": control.underWay ? "true" : null,
      "aria-haspopup": "menu",
      "aria-expanded": String(control.menuOpen),
      "aria-controls": control.menuOpen ? this.#menu : null,
      "aria-label": `Snooze: ${control.task.title}`,
      title: "Snooze",
      onclick: () => control.underWay ?? control.toggleMenu(),
    }, icon("moon"));
  }
}

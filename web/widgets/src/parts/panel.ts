// One task as a card: what it is, why it is here, what can be done with it.

import { hint, type App } from "../app.ts";
import type { Part, Task, TaskAnswer } from "../contract.ts";
import { h, icon, redraw, type Child, type Focus } from "../dom.ts";
import { decimal } from "../format.ts";
import { TaskControl, type Beginning } from "../task-control.ts";
import { breakdown } from "./breakdown.ts";
import { facts } from "./facts.ts";
import { notice } from "./notice.ts";
import { snoozeMenu } from "./snooze-menu.ts";

export interface PanelContent extends Beginning {
  eyebrow: string;
  task: Task;
  score?: number | undefined;
  recommendation?: string | undefined;
  parts: Part[];
  nextChange?: TaskAnswer["nextChange"];
  /** One more button beside Complete and Snooze. */
  other?: () => Child;
  /** What follows the breakdown. */
  below?: () => Child;
}

/** Longer descriptions begin folded. */
const FOLDED_FROM = 240;
let panels = 0;

export class Panel {
  readonly root: HTMLElement;
  readonly #app: App;
  readonly #content: PanelContent;
  readonly #control: TaskControl;
  readonly #id: string;
  #unfolded = false;

  constructor(app: App, content: PanelContent) {
    panels += 1;
    this.#id = `task${panels}`;
    this.#app = app;
    this.#content = content;
    this.root = h("article", { class: "card", "aria-labelledby": this.#id });
    this.#control = new TaskControl(app, content.task, (focus) => this.draw(focus), content);
    app.onAbility(() => this.draw());
    this.draw();
  }

  draw(focus?: Focus): void {
    const { task, settled, gone, notice: told } = this.#control;
    // Until when it is snoozed is said once.
    const { snoozed_text: _, ...known } = task;
    const { recommendation, parts, nextChange, below } = this.#content;
    const score = this.#content.score;
    redraw(this.root, [
      h("header", { class: "top" },
        h("p", { class: "eyebrow" }, this.#content.eyebrow),
        score !== undefined && h("p", { class: "score" }, h("span", { class: "hush" }, "Score "), decimal(score)),
      ),
      h("h1", { class: gone || task.status === "completed" ? "title over" : "title", id: this.#id, dir: "auto" }, task.title),
      recommendation !== undefined && h("p", { class: "why", dir: "auto" }, recommendation),
      facts(told ? known : task),
      this.#description(task.description),
      notice(this.#control),
      settled || gone ? null : this.#actions(),
      breakdown(parts, score, nextChange),
      below?.(),
    ], focus);
  }

  #description(text: string | undefined): Child {
    if (text === undefined) return null;
    const folded = text.length > FOLDED_FROM || text.split("\n").length > 4;
    const unfold = (): void => {
      this.#unfolded = !this.#unfolded;
      this.draw();
    };
    const open = this.#unfolded ? "true" : "false";
    return h("div", {},
      h("p", { class: folded && !this.#unfolded ? "description folded" : "description", dir: "auto" }, text),
      folded && h("button", { type: "button", class: "plain", "data-key": "unfold", "aria-expanded": open, onclick: unfold }, this.#unfolded ? "Show less" : "Show more"),
    );
  }

  #actions(): HTMLElement {
    const control = this.#control;
    const [why, menu] = [hint(this.#app), `${this.#id}-snooze`];
    const shared = { type: "button", disabled: !control.able, "aria-disabled": control.underWay ? "true" : null, "aria-describedby": why ? `${this.#id}-hint` : null };
    return h("div", { class: "acting" },
      h("div", { class: "actions" },
        h("button", { ...shared, class: "first", "data-key": "complete", onclick: () => void control.complete() },
          icon("check"), control.underWay === "complete" ? "Completing…" : "Complete"),
        h("button", { ...shared, class: "second", "data-key": "snooze", "aria-haspopup": "menu", "aria-expanded": String(control.menuOpen), "aria-controls": control.menuOpen ? menu : null, onclick: () => control.underWay ?? control.toggleMenu() },
          icon("moon"), control.underWay === "snooze" ? "Snoozing…" : "Snooze"),
        this.#content.other?.(),
      ),
      control.menuOpen && snoozeMenu(menu, (choice) => void control.snooze(choice), () => control.toggleMenu(false)),
      why !== undefined && h("p", { class: "quiet", id: `${this.#id}-hint` }, why),
    );
  }
}

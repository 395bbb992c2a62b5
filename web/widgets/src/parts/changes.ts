// What was just created or taken back, several tasks at once.

import { undo } from "../actions.ts";
import type { App } from "../app.ts";
import type { ListAnswer } from "../contract.ts";
import { h, icon, redraw } from "../dom.ts";
import { count } from "../format.ts";
import { frame } from "./frame.ts";
import { Row } from "./row.ts";

/** Whether the tasks are what a change was about, not what a listing found. */
export function isChange(answer: ListAnswer): boolean {
  return !answer.listed && (answer.undoToken !== undefined || answer.undone !== undefined);
}

/** With the way back as a whole. */
export function changes(answer: ListAnswer, app: App): HTMLElement {
  const { tasks, undoToken, undone } = answer;
  if (undone !== undefined && tasks.length === 0) return frame("Undone", "", app, h("p", {}, "Nothing is left of what was made."));
  const rows = h("ul", { class: "rows" });
  const fill = (gone: boolean): void => rows.replaceChildren(...tasks.map((task) => new Row(app, { task, gone }).root));
  fill(false);
  const foot = undoToken === undefined ? null : wayBack(answer, undoToken, app, () => fill(true));
  return frame(undone === undefined ? "Created" : "Undone", count(tasks.length, "task"), app, rows, foot);
}

function wayBack({ tasks }: ListAnswer, token: string, app: App, onGone: () => void): HTMLElement {
  const foot = h("div", { class: "foot" });
  const said = { busy: false, done: false, text: "" };
  const draw = (): void => {
    const label = said.busy ? "Undoing…" : tasks.length === 1 ? "Undo" : "Undo all";
    const shared = { type: "button", class: "plain", "data-key": "undo", disabled: app.host.ability !== "able", "aria-disabled": said.busy ? "true" : null };
    redraw(foot, [
      said.text !== "" && h("p", { class: said.done ? "quiet" : "bad", tabindex: "-1", "data-key": "said" }, said.text),
      !said.done && h("button", { ...shared, onclick: () => void back() }, icon("undo"), label),
    ], { keys: ["said"] });
  };
  const back = async (): Promise<void> => {
    if (said.busy) return;
    said.busy = true;
    draw();
    const { done, gone, text, message } = await undo(app.host, token, tasks);
    Object.assign(said, { busy: false, done, text });
    if (gone) onGone();
    draw();
    app.announce(text);
    if (message !== undefined) await app.followUps.add({ about: token, text: message });
  };
  app.onAbility(draw);
  draw();
  return foot;
}

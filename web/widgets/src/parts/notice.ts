// What came of an action, and the way back.

import { h, icon, prose, type Child } from "../dom.ts";
import type { TaskControl } from "../task-control.ts";

/** Nothing if nothing has happened. Said aloud elsewhere, so it is no live region itself. */
export function notice(control: TaskControl): Child {
  const { notice: shown, underWay, able } = control;
  if (!shown) return null;
  const back = shown.undoToken !== undefined && able && h("button", {
    type: "button",
    class: "plain",
    "data-key": "undo",
    "aria-disabled": underWay ? "true" : null,
    onclick: () => void control.undo(),
  }, icon("undo"), underWay === "undo" ? "Undoing…" : "Undo");
  return h("div", { class: `notice ${shown.tone}` },
    icon(shown.tone === "good" ? "check" : "alert"),
    h("p", { tabindex: "-1", "data-key": "notice" }, ...prose(shown.text)),
    back,
  );
}

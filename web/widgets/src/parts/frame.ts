// The card around rows: its title, what is said beside it, and why its buttons are off if they are.

import { hint, type App } from "../app.ts";
import { h, type Child } from "../dom.ts";

export function frame(title: string, aside: string, app: App, ...content: Child[]): HTMLElement {
  const why = h("p", { class: "quiet" });
  const explain = (): void => why.replaceChildren(hint(app) ?? "");
  app.onAbility(explain);
  explain();
  return h("section", { class: "card" }, h("header", { class: "top" }, h("h1", { class: "list-title" }, title), h("p", { class: "quiet" }, aside)), why, ...content);
}

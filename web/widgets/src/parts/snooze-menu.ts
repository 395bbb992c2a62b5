// The menu that asks for how long to snooze.

import { h } from "../dom.ts";
import { SNOOZES, type Snooze } from "../snooze.ts";

const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowDown: (at, last) => (at === last ? 0 : at + 1),
  ArrowRight: (at, last) => (at === last ? 0 : at + 1),
  ArrowUp: (at, last) => (at === 0 ? last : at - 1),
  ArrowLeft: (at, last) => (at === 0 ? last : at - 1),
  Home: () => 0,
  End: (_, last) => last,
};

/** A menu in the flow of the card, not above it: the frame is only as high as its content. */
export function snoozeMenu(id: string, onChoice: (choice: Snooze) => void, onEscape: () => void): HTMLElement {
  const items = SNOOZES.map((choice, at) =>
    h("button", { type: "button", role: "menuitem", tabindex: at === 0 ? "0" : "-1", "data-key": `snooze ${at}`, onclick: () => onChoice(choice) }, choice.label),
  );
  const onKey = (event: Event): void => {
    const { key } = event as KeyboardEvent;
    if (key === "Escape") {
      event.stopPropagation();
      return onEscape();
    }
    const step = STEPS[key];
    if (!step) return;
    event.preventDefault();
    const at = items.findIndex((item) => item === document.activeElement);
    const next = items[step(Math.max(at, 0), items.length - 1)];
    items.forEach((item) => item.setAttribute("tabindex", item === next ? "0" : "-1"));
    next?.focus();
  };
  return h("div", { class: "menu", role: "menu", id, "aria-label": "Snooze until", onkeydown: onKey }, ...items);
}

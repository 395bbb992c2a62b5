// Builds elements. Text only ever becomes text nodes, so nothing a user wrote can become markup.

export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | ((event: Event) => void) | null | undefined>;

/** An element with attributes, listeners (`onclick` and the like) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ICONS = {
  check: "M3.2 8.6l3.1 3.1 6.5-7.2",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 5v3.2l2.1 1.2",
  calendar: "M2.8 4h10.4v9.2H2.8zM2.8 7h10.4M5.6 2.4v2.8M10.4 2.4v2.8",
  moon: "M13 9.7A5.6 5.6 0 0 1 6.3 3 5.6 5.6 0 1 0 13 9.7z",
  sun: "M8 5.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4zM8 1.6v1.5M8 12.9v1.5M1.6 8h1.5M12.9 8h1.5M3.5 3.5l1 1M11.5 11.5l1 1M3.5 12.5l1-1M11.5 4.5l1-1",
  undo: "M5.8 3.2L2.6 6.4l3.2 3.2M2.8 6.4h6.4a3.6 3.6 0 0 1 0 7.2H7",
  alert: "M8 2.4l6.2 11H1.8zM8 6.6v3.1M8 11.6v.1",
  swap: "M3 5.4h9.4L10 3M13 10.6H3.6L6 13",
  info: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 7.4v3.4M8 5.1v.1",
};
export type Icon = keyof typeof ICONS;

const SVG = "http://www.w3.org/2000/svg";

/** A small drawing beside words, unknown to screen readers. */
export function icon(name: Icon): SVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of [["viewBox", "0 0 16 16"], ["class", "icon"], ["aria-hidden", "true"]] as const) drawing.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

/** A message of the server, in which what somebody wrote stands between backticks. */
export function prose(text: string): Child[] {
  const pieces = text.split("`");
  if (pieces.length % 2 === 0) return [text];
  return pieces.map((piece, at) => (at % 2 === 0 ? piece : h("code", { dir: "auto" }, piece)));
}

/** Elements with the same key are the same control in the eyes of the keyboard. */
const KEY = "data-key";

/** Where the focus goes after something was drawn anew, if it was inside before. */
export interface Focus {
  /** The first of these controls that is there. */
  keys: string[];
  /** Whether it goes there even when the control that had it is still there. */
  always?: boolean;
}

/** Puts new children in and keeps the focus on the control it was on, or moves it. */
export function redraw(root: HTMLElement, children: Child[], { keys, always }: Focus = { keys: [] }): void {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.getAttribute(KEY);
  root.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  if (focused === null) return;
  const kept = key ? [key] : [];
  focus(root, always ? [...keys, ...kept] : [...kept, ...keys]);
}

/** Moves the focus to the first of the controls that is there and can be used. */
export function focus(root: HTMLElement, keys: string[]): void {
  for (const key of keys) {
    const control = root.querySelector<HTMLElement>(`[${KEY}="${CSS.escape(key)}"]:not(:disabled)`);
    if (control) return control.focus();
  }
}

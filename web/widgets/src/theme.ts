// Takes on the look of the host: light or dark, and its colours and fonts where it gives them.

import { isFields } from "./answer.ts";

/** Used as they are. Fonts are named only: fetching them would be a use of the network. */
const VARIABLES = ["--font-sans", "--border-radius-lg", "--border-radius-md"];
/** Used only together: a text colour means nothing on another ground. All other colours are mixed from these two. */
const PAIR = ["--color-background-primary", "--color-text-primary"];

export function applyTheme(theme: unknown): void {
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
}

/** `context` is the host's context, or the changed part of it. */
export function applyContext(context: Record<string, unknown>): void {
  applyTheme(context["theme"]);
  const styles = isFields(context["styles"]) ? context["styles"] : {};
  const variables = isFields(styles["variables"]) ? styles["variables"] : {};
  const given = (name: string): boolean => typeof variables[name] === "string" && variables[name] !== "";
  for (const name of [...VARIABLES.filter(given), ...(PAIR.every(given) ? PAIR : [])]) {
    document.documentElement.style.setProperty(name, String(variables[name]));
  }
  const insets = isFields(context["safeAreaInsets"]) ? context["safeAreaInsets"] : {};
  for (const side of ["top", "right", "bottom", "left"]) {
    const inset = insets[side];
    if (typeof inset === "number") document.documentElement.style.setProperty(`--inset-${side}`, `${inset}px`);
  }
}

// A score, part by part.

import type { Part, TaskAnswer } from "../contract.ts";
import { h, type Child } from "../dom.ts";
import { decimal, signed } from "../format.ts";
import { waterfall, type Step } from "../waterfall.ts";

function bar({ from, to }: Pick<Step, "from" | "to">): HTMLElement {
  const fill = h("span", { class: to < from ? "fill less" : "fill" });
  fill.style.insetInlineStart = `${Math.min(from, to) * 100}%`;
  fill.style.inlineSize = `${Math.abs(to - from) * 100}%`;
  return h("span", { class: "track", "aria-hidden": "true" }, fill);
}

function row(step: Step, places: number): HTMLElement {
  return h("li", { class: step.points === 0 ? "step none" : "step" },
    h("span", { class: "part" }, h("bdi", {}, step.name), step.detail && h("small", {}, " ", step.detail)),
    bar(step),
    h("span", { class: "points" }, signed(step.points, places)),
  );
}

/** Nothing if there are no parts. */
export function breakdown(parts: Part[], score?: number, next?: TaskAnswer["nextChange"]): Child {
  if (parts.length === 0) return null;
  const { steps, sum, total, places } = waterfall(parts, score);
  const last = h("li", { class: "step sum" },
    h("span", { class: "part" }, "Score"),
    bar(sum),
    h("span", { class: "points" }, decimal(total, places)),
  );
  const change = next && (next.score === null ? `Changes ${next.at_text}.` : `Becomes ${decimal(next.score)} on ${next.at_text}.`);
  return h("section", { class: "breakdown" },
    h("h2", {}, "How the score adds up"),
    h("ul", { class: "steps" }, ...steps.map((step) => row(step, places)), last),
    change && h("p", { class: "quiet" }, change),
  );
}

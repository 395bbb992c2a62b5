// One card from its start to its end: waits for a host, shows what it gives, and says aloud what happens.

import type { Answer } from "./contract.ts";
import { h, type Child } from "./dom.ts";
import { FollowUps } from "./follow-up.ts";
import { Host, type Ability } from "./host.ts";
import { Memory } from "./memory.ts";
import { cancelled, loading, silence } from "./parts/states.ts";

export interface App {
  readonly host: Host;
  readonly followUps: FollowUps;
  readonly memory: Memory;
  /** Says something to people who do not see the card change. */
  announce(text: string): void;
  /** Calls `redraw` when it has become known whether the card can act. Forgotten when something else is shown. */
  onAbility(redraw: () => void): void;
}

export interface View {
  /** How long the card waits for more to tell the conversation at once; 0 tells everything at once. */
  pauseMs: number;
  show(answer: Answer, app: App): Child;
}

const HINTS: Partial<Record<Ability, string>> = {
  unable: "This chat does not let cards change tasks. Ask in the conversation instead.",
  preview: "This is a preview: the buttons work inside a chat.",
};

/** Why the buttons cannot be used, if they cannot. */
export function hint(app: App): string | undefined {
  return HINTS[app.host.ability];
}

export function start(view: View): void {
  const stage = document.getElementById("stage");
  const status = document.getElementById("status");
  if (!stage || !status) return;
  let redraws: (() => void)[] = [];
  let waiting = true;
  const memory = new Memory();
  const show = (child: Child): void => stage.replaceChildren(...(child ? [child] : []));
  const host: Host = new Host({
    onAnswer(answer) {
      redraws = [];
      if (!waiting) memory.clear();
      waiting = false;
      stage.removeAttribute("aria-busy");
      show(view.show(answer, app));
    },
    onCancelled: () => show(cancelled()),
    onAbility: () => redraws.forEach((redraw) => redraw()),
    onSilence: () => waiting && show(silence(host.ability === "preview")),
    onTeardown: () => followUps.flush(),
  });
  const followUps: FollowUps = new FollowUps((text) => host.tell(text), view.pauseMs);
  const app: App = {
    host,
    followUps,
    memory,
    announce(text) {
      // A new element each time: the same words twice are news, too.
      status.replaceChildren(h("p", {}, text));
    },
    onAbility: (redraw) => redraws.push(redraw),
  };
  show(loading());
  void host.connect();
}

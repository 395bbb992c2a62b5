// What was done in this card, for when ChatGPT shows it anew with the result of long ago: what was completed then must not
// come back as if it were still to do. Other hosts keep nothing.

import { isFields } from "./answer.ts";
import type { Status } from "./contract.ts";
import { openAi } from "./openai.ts";

export interface Kept {
  status: Status;
  text: string;
  undoToken?: string;
}

export class Memory {
  #kept: Record<string, unknown>;

  constructor() {
    const state = openAi()?.widgetState;
    this.#kept = isFields(state) && isFields(state["done"]) ? { ...state["done"] } : {};
  }

  /** What was done with a task, if that was the last that happened to it here. */
  recall(id: string): Kept | undefined {
    const kept = this.#kept[id];
    if (!isFields(kept) || typeof kept["text"] !== "string") return undefined;
    if (kept["status"] !== "completed" && kept["status"] !== "snoozed") return undefined;
    const undoToken = kept["undoToken"];
    return { status: kept["status"], text: kept["text"], ...(typeof undoToken === "string" ? { undoToken } : {}) };
  }

  /** Without `kept`, what was done has been taken back. */
  keep(id: string, kept?: Kept): void {
    if (kept) this.#kept[id] = kept;
    else delete this.#kept[id];
    void openAi()?.setWidgetState?.({ done: this.#kept });
  }

  /** A newer result knows better. */
  clear(): void {
    this.#kept = {};
  }
}

// What ChatGPT offers beside MCP Apps, if it is there: https://developers.openai.com/plugins/reference

export interface OpenAi {
  toolInput?: unknown;
  toolOutput?: unknown;
  theme?: unknown;
  /** What this card has kept when it was shown before. */
  widgetState?: unknown;
  callTool?(name: string, args: Record<string, unknown>): Promise<unknown>;
  sendFollowUpMessage?(message: { prompt: string }): Promise<unknown>;
  setWidgetState?(state: Record<string, unknown>): unknown;
  notifyIntrinsicHeight?(height: number): unknown;
}

declare global {
  interface Window {
    openai?: OpenAi;
  }
}

/** Asked each time: ChatGPT may put it in after the document has begun to run. */
export function openAi(): OpenAi | undefined {
  return typeof window.openai === "object" ? window.openai : undefined;
}

/** Sent by ChatGPT when any of its values has changed. */
export const OPENAI_CHANGED = "openai:set_globals";

// Tells the conversation what was done here, so that the model knows, too.

export interface Said {
  /** What the message is about: the id of a task, or of a whole list. */
  about: string;
  text: string;
}

/**
 * Sends each message at once, or, with a pause, those of one spell of work together: a model that answered each tick of a
 * list would talk over the person who is ticking.
 */
export class FollowUps {
  readonly #send: (text: string) => Promise<boolean>;
  readonly #pauseMs: number;
  #collected: Said[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (text: string) => Promise<boolean>, pauseMs: number) {
    this.#send = send;
    this.#pauseMs = pauseMs;
  }

  /** False when the conversation could not be told. What is only collected counts as told. */
  async add(said: Said): Promise<boolean> {
    if (this.#pauseMs === 0) return this.#send(said.text);
    this.#collected.push(said);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), this.#pauseMs);
    return true;
  }

  /** Forgets what has not been sent yet about something that was taken back. False when there was nothing. */
  forget(about: string): boolean {
    const kept = this.#collected.filter((said) => said.about !== about);
    const forgotten = kept.length < this.#collected.length;
    this.#collected = kept;
    return forgotten;
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    const text = this.#collected.map((said) => said.text).join(" ");
    this.#collected = [];
    if (text !== "") await this.#send(text);
  }
}

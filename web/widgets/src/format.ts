// Words and numbers as people read them. Dates arrive as text from the server, but for the rows of long lists.

/** `90` as `1 h 30 min`. */
export function minutes(count: number): string {
  const [hours, rest] = [Math.floor(count / 60), Math.round(count % 60)];
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** `time_of_day` as `Time of day`. */
export function label(name: string): string {
  const words = name.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A number with at most `places` decimals and no needless zeros. */
export function decimal(value: number, places = 2): string {
  const shown = String(Number(value.toFixed(places)));
  return shown === "-0" ? "0" : shown.replace("-", "−");
}

/** `8` as `+8`, `-8` as `−8` with a real minus. */
export function signed(value: number, places = 2): string {
  const shown = decimal(value, places);
  return value > 0 && shown !== "0" ? `+${shown}` : shown;
}

/** `3 tasks`, `1 task`. */
export function count(many: number, one: string): string {
  return `${many} ${one}${many === 1 ? "" : "s"}`;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
];

/** A date alone, `2026-11-21`, as `Saturday 21 November`; it has no zone. What is not a date stays as it is. */
export function day(date: string): string {
  const [, year, month, ofMonth] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  if (year === undefined) return date;
  const moment = new Date(Date.UTC(Number(year), Number(month) - 1, Number(ofMonth)));
  return `${DAYS[moment.getUTCDay()]} ${Number(ofMonth)} ${MONTHS[Number(month) - 1]}`;
}

/** A due date as the server sends it, as `Fri 27 Nov 2026` or, for an instant, `Fri 27 Nov 2026, 17:00` in `zone`. */
export function due(date: string | undefined, zone: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  const isDay = /^\d{4}-\d\d-\d\d$/.test(date);
  const moment = new Date(isDay ? `${date}T00:00:00Z` : date);
  if (Number.isNaN(moment.getTime())) return undefined;
  const parts = shownIn(moment, isDay ? "UTC" : zone);
  const shown = `${parts["weekday"]} ${parts["day"]} ${parts["month"]} ${parts["year"]}`;
  return isDay ? shown : `${shown}, ${parts["hour"]}:${parts["minute"]}`;
}

/** The parts of a moment in a zone; in the reader's own where that is not known. */
function shownIn(moment: Date, zone: string | undefined): Record<string, string> {
  const wanted: Intl.DateTimeFormatOptions = {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", zone === undefined ? wanted : { ...wanted, timeZone: zone });
  } catch {
    format = new Intl.DateTimeFormat("en-US", wanted);
  }
  return Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
}

const LONGEST_QUOTE = 120;

/**
 * A title inside a sentence that a model reads: one line, bounded, its quotation marks unable to end the quotation.
 * Titles come from anywhere; in a message of the user they must stay what they are, data.
 */
export function quote(title: string): string {
  const line = title.replace(/[\p{C}\s]+/gu, " ").replace(/["“”]/g, "'").trim();
  const letters = [...line];
  return `"${letters.length > LONGEST_QUOTE ? `${letters.slice(0, LONGEST_QUOTE - 1).join("")}…` : line}"`;
}

// Times for people, in the browser's zone, always 24-hour and never ambiguous about the day.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MONTH_MS = 30 * 86_400_000;

export function clock(ms: number): string {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** `Nov 22, 03:14:45`. */
export function moment(ms: number): string {
  return `${day(ms)}, ${clock(ms)}`;
}

/** `2026-11-22 03:14:45`: the year too, for moments that may be long ago. */
export function dateTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "no date";
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(ms)}`;
}

/** Ticks of a time axis: the clock, the day where a new one begins; months, and the year where one begins. */
export function timeTicks(ticks: readonly number[], stepMs: number): string[] {
  return ticks.map((ms) => {
    const date = new Date(ms);
    if (stepMs >= MONTH_MS) return date.getMonth() === 0 ? String(date.getFullYear()) : (MONTHS[date.getMonth()] as string);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (midnight || stepMs >= 86_400_000) return day(ms);
    const withSeconds = stepMs < 60_000;
    return withSeconds ? clock(ms) : clock(ms).slice(0, 5);
  });
}

function day(ms: number): string {
  const date = new Date(ms);
  return `${MONTHS[date.getMonth()]} ${date.getDate()}`;
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

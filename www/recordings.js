// What the server has recorded: spans without gaps, the state of the recorder, the server's clock, and single pictures.
// Times are in seconds since 1970.

import { url } from './common.js';

const REQUEST_TIMEOUT_MS = 10000;
// How often the whole list is fetched. In between only the newest span is: the list of a long recording with many gaps has
// a megabyte.
const ALL_EVERY_S = 60;
// A last span that ended longer ago than this does not grow: the list is out of date.
const OLD_S = 60;

export { url };
export const ask = (path, options) => fetch(url(path), { cache: 'no-store', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...options });

export let spans = [];         // { start, end, frames, bytes }, oldest first
export let report = null;      // state of the recorder
let listedAllAt = -Infinity;
let offset = null;             // the server's clock minus localClock(), in seconds

export const localClock = () => performance.now() / 1000;
export const now = () => localClock() + (offset ?? (Date.now() / 1000 - localClock()));

export function setReport(next) {
  report = next;
}

export async function askForSpans() {
  const asked = localClock();
  const isAll = asked - listedAllAt > ALL_EVERY_S || !spans.length;
  const from = isAll ? 0 : spans.at(-1).start;
  const reply = await ask(isAll ? 'recordings' : `recordings?from=${from.toFixed(6)}`);
  if (!reply.ok) throw new Error(await reply.text());
  const answer = await reply.json();
  offset = answer.now - (asked + localClock()) / 2;
  const known = isAll ? [] : spans.filter((span) => span.start < from);
  const fresh = answer.spans.filter((span) => span.start >= from);
  spans = [...known, ...fresh].sort((a, b) => a.start - b.start);
  if (isAll) listedAllAt = asked;
  report = answer.recording;
}

// The last span grows while the recorder runs; this estimates its end between two lists.
export function spansNow() {
  const last = spans.at(-1);
  if (!last || report?.state !== 'recording' || now() - last.end > OLD_S) return spans;
  return [...spans.slice(0, -1), { ...last, end: Math.max(last.end, now()) }];
}

export const spanAt = (t) => spansNow().find((span) => t >= span.start && t <= span.end);

// The time after `seconds` more of recording, or fewer if negative. Gaps do not count.
export function recordedAfter(t, seconds) {
  const all = seconds < 0 ? [...spansNow()].reverse() : spansNow();
  let left = Math.abs(seconds);
  for (const { start, end } of all) {
    const from = seconds < 0 ? Math.min(t, end) : Math.max(t, start);
    const room = seconds < 0 ? from - start : end - from;
    if (room < 0) continue;
    if (left <= room) return seconds < 0 ? from - left : from + left;
    left -= room;
  }
  return seconds < 0 ? all.at(-1)?.start ?? t : now();
}

// The picture that was the newest at time t, or the one `step` pictures after it, and the time of that picture.
export async function picture(t, signal, step = 0) {
  const path = `snapshot?at=${t.toFixed(6)}` + (step ? `&step=${step}` : '');
  const reply = await ask(path, { signal });
  if (!reply.ok) throw new Error((await reply.text()).trim());
  return { blob: await reply.blob(), at: Number(reply.headers.get('X-Timestamp')) };
}

// Estimates frames and bytes between two times, in proportion to the overlap with each span.
export function contentOf(start, end) {
  const held = { frames: 0, bytes: 0 };
  for (const span of spansNow()) {
    const share = span.end > span.start
      ? Math.max(0, Math.min(end, span.end) - Math.max(start, span.start)) / (span.end - span.start)
      : Number(span.start >= start && span.start <= end);
    held.frames += span.frames * share;
    held.bytes += span.bytes * share;
  }
  return held;
}

// --- numbers as text ---

export function longTime(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export function bytesOf(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const i = Math.min(Math.floor(Math.log10(Math.max(n, 1)) / 3), 4);
  return `${(n / 1000 ** i).toFixed(i && n / 1000 ** i < 10 ? 1 : 0)} ${units[i]}`;
}

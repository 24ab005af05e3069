// What was recorded: the spans without a gap, how recording goes, the server's clock, and pictures. Moments are in seconds
// since 1970.

import { url } from './common.js';

const REQUEST_TIMEOUT_MS = 10000;
// How often all is asked for. In between only the newest span is: a long recording of many gaps is a megabyte.
const ALL_EVERY_S = 60;
// Older than this, a list says nothing of the present.
const OLD_S = 60;

export { url };
export const ask = (path, options) => fetch(url(path), { cache: 'no-store', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...options });

export let spans = [];         // { start, end, frames, bytes } in order of time
export let report = null;      // how recording goes
let allAskedAt = -Infinity;
let offset = null;             // the server's clock less ours, seconds

export const ours = () => performance.now() / 1000;
export const now = () => ours() + (offset ?? (Date.now() / 1000 - ours()));

export function reported(next) {
  report = next;
}

export async function askForSpans() {
  const asked = ours();
  const isAll = asked - allAskedAt > ALL_EVERY_S || !spans.length;
  const from = isAll ? 0 : spans.at(-1).start;
  const reply = await ask(isAll ? 'recordings' : `recordings?from=${from.toFixed(6)}`);
  if (!reply.ok) throw new Error(await reply.text());
  const answer = await reply.json();
  offset = answer.now - (asked + ours()) / 2;
  const known = isAll ? [] : spans.filter((span) => span.start < from);
  const fresh = answer.spans.filter((span) => span.start >= from);
  spans = [...known, ...fresh].sort((a, b) => a.start - b.start);
  if (isAll) allAskedAt = asked;
  report = answer.recording;
}

// The last span grows between two lists.
export function spansNow() {
  const last = spans.at(-1);
  if (!last || report?.state !== 'recording' || now() - last.end > OLD_S) return spans;
  return [...spans.slice(0, -1), { ...last, end: Math.max(last.end, now()) }];
}

export const spanAt = (t) => spansNow().find((span) => t >= span.start && t <= span.end);

// The moment so many recorded seconds later, or earlier: gaps take no time.
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

// The picture that was the newest at a moment, or one so many behind it, and its own moment.
export async function picture(t, signal, step = 0) {
  const path = `snapshot?at=${t.toFixed(6)}` + (step ? `&step=${step}` : '');
  const reply = await ask(path, { signal });
  if (!reply.ok) throw new Error((await reply.text()).trim());
  return { blob: await reply.blob(), at: Number(reply.headers.get('X-Timestamp')) };
}

// What there is in a stretch, as far as spans tell.
export function heldIn(start, end) {
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

// --- words ---

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

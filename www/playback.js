// The recording on the page: pause, single steps, playback, download of a span, and the record switch. app.js owns the live
// stream; an event 'past' on #viewer stops it while something recorded is shown, and starts it again.

import { byId, replaceImage, setText as setTextOf, smaller } from './common.js';
import { makeEvents } from './events.js';
import { ask, askForSpans, bytesOf, contentOf, longTime, now, localClock, picture, recordedAfter, report, setReport, spanAt, spans, spansNow, url } from './recordings.js';
import { dayOf, makeTimeline, showBlob, timeOf } from './timeline.js';

const LIST_EVERY_MS = 5000;
const TICK_MS = 200;
const JUMP_S = 10;
// A time closer to the present than this counts as live.
const PRESENT_S = .7;
// The seat of the live stream may not be free yet when playback asks for one.
const RETRY_MS = [200, 500, 1000, 2000];
const FIRST_CHOICE_S = 30;
// The server refuses a ZIP of more pictures, as it keeps a list of them in memory.
const MOST_IN_ZIP = 16384;

const section = byId('playback');
const viewer = byId('viewer');
const slider = byId('timeline');

// --- the list of recorded spans ---

let listing = null;            // the running request, which all callers wait for

async function list() {
  if (document.hidden || section.hidden) return;
  // app.js shows when the server does not answer.
  listing ??= askForSpans().then(showReport, () => {}).finally(() => { listing = null; });
  await listing;
  // Also draws the timeline.
  events.render();
}

// --- live, playing or paused ---

let mode = 'live';
let shown = 0;                 // time of the picture shown while paused
let anchor = null;             // while playing: { at, since }; since is null until the first picture arrives
let replay = byId('replay');
let request = null;            // AbortController of the running request for a picture
let tries = 0;

function shownNow() {
  if (mode === 'live') return now();
  if (mode === 'paused' || anchor.since === null) return shown;
  return recordedAfter(anchor.at, (localClock() - anchor.since) * speed());
}

const speed = () => Number(byId('speed').value);

function enter(next) {
  mode = next;
  if (mode === 'live') section.removeAttribute('data-past');
  else section.dataset.past = mode;
  const label = { paused: 'Paused', playing: 'Playback' }[mode];
  const past = label && { label, clock: whenOf(shownNow()), at: shownNow };
  viewer.dispatchEvent(new CustomEvent('past', { detail: past || null }));
  tick();
}

// A fresh <img> for the next recorded picture or stream. The last frame of the old one stays visible under it.
function replaceReplay() {
  request?.abort();
  if (!replay.hidden && replay.naturalWidth) keep(replay);
  if (replay.src.startsWith('blob:')) URL.revokeObjectURL(replay.src);
  replay = replaceImage(replay);
  replay.hidden = true;
}

function keep(image) {
  const still = byId('still');
  still.width = image.naturalWidth;
  still.height = image.naturalHeight;
  still.getContext('2d').drawImage(image, 0, 0);
  byId('stage').classList.add('stilled');
}

async function show(t, step = 0) {
  request?.abort();
  const mine = request = new AbortController();
  try {
    const { blob, at } = await picture(t, mine.signal, step);
    if (mode !== 'paused' || mine.signal.aborted) return;
    showBlob(replay, blob);
    replay.hidden = false;
    replay.alt = 'Recorded picture';
    shown = at;
    tick();
  } catch (error) {
    if (error.name !== 'AbortError') say('No picture at this time.');
  }
}

async function pause(t = shownNow()) {
  const wasPlaying = mode === 'playing';
  if (wasPlaying) replaceReplay();
  shown = t;
  enter('paused');
  // A live picture that was not recorded stays as it is.
  if (spanAt(shown)) await show(shown);
}

function play(t = shownNow()) {
  shown = spanAt(t) ? t : recordedAfter(t, 0);
  if (shown > now() - PRESENT_S) return goLive();
  replaceReplay();
  anchor = { at: shown, since: null };
  const opened = replay;
  opened.onload = () => {
    if (replay !== opened || anchor.since !== null) return;
    anchor.since = localClock();
    tries = 0;
    opened.hidden = false;
    opened.alt = 'Recorded pictures';
  };
  opened.onerror = () => { if (replay === opened) playFailed(); };
  enter('playing');
  // The server notices that the live stream is closed when it writes the next picture, so the seat may still be taken now.
  // Smaller on a slow line, unless that was refused.
  opened.src = url(`video_feed?from=${shown.toFixed(6)}&speed=${speed()}&key=replay${tries ? '' : smaller.query()}`);
}

function playFailed() {
  const at = shown;
  if (tries === RETRY_MS.length) {
    tries = 0;
    pause(at);
    return say('Playback did not start. All seats may be taken.');
  }
  const waited = replay;
  setTimeout(() => { if (replay === waited && mode === 'playing') play(at); }, RETRY_MS[tries]);
  tries += 1;
}

function goLive() {
  if (mode === 'live') return;
  tries = 0;
  replaceReplay();
  enter('live');
}

function seek(t) {
  tries = 0;
  if (t > now() - PRESENT_S) return goLive();
  const there = spanAt(t) ? t : recordedAfter(t, 0);
  if (!spanAt(there)) return goLive();
  if (mode === 'paused') {
    shown = there;
    show(there);
  } else {
    play(there);
  }
}

const jump = (seconds) => seek(recordedAfter(shownNow(), seconds));
const toggle = () => (mode === 'paused' ? play() : pause());

let steps = 0;                 // requested and not yet done
let stepping = false;

async function step(n) {
  steps += n;
  if (stepping) return;
  stepping = true;
  section.setAttribute('aria-busy', 'true');
  if (mode !== 'paused') await pause();
  while (steps && mode === 'paused') {
    const due = Math.max(-1000, Math.min(steps, 1000));
    steps -= due;
    if (due > 0 && shown >= (spans.at(-1)?.end ?? 0)) await list();
    const from = spanAt(shown) ? shown : spans.findLast((span) => span.end < shown)?.end;
    if (from === undefined) say('This is the oldest picture.');
    else if (due > 0 && from >= spans.at(-1).end) say('This is the newest picture.');
    else await show(from, due);
  }
  steps = 0;
  stepping = false;
  section.removeAttribute('aria-busy');
}

// --- the timeline, and files of a span ---

const events = makeEvents({ shown: shownNow, seek, whenOf, say, changed: () => timeline.draw() });
const timeline = makeTimeline(slider, {
  spans: spansNow,
  marks: events.marks,
  now,
  shown: shownNow,
  seek,
  choose: showChoice,
  picture: async (t, signal) => (spanAt(t) ? picture(t, signal) : null),
});
let choice = null;

function showChoice(next) {
  choice = next;
  byId('selection').hidden = !choice;
  if (!choice) return;
  const { start, end } = choice;
  const inside = contentOf(start, end);
  const size = inside.frames ? `about ${Math.ceil(inside.frames).toLocaleString()} pictures, ${bytesOf(inside.bytes)}` : 'nothing recorded';
  const format = byId('format').value;
  const isTooMuch = format === 'zip' && inside.frames > MOST_IN_ZIP;
  const hint = isTooMuch ? ` · a ZIP holds ${MOST_IN_ZIP.toLocaleString()} at most: choose less, or another format` : '';
  setText('selection-text', `${whenOf(start)} to ${timeOf(end)} · ${longTime(end - start)} · ${size}${hint}`);
  const link = byId('download');
  const isOffered = inside.frames && !isTooMuch;
  if (isOffered) link.href = url(`download?from=${start.toFixed(6)}&to=${end.toFixed(6)}&format=${format}`);
  else link.removeAttribute('href');
  link.setAttribute('aria-disabled', String(!isOffered));
}

function chooseAtFirst() {
  if (choice) return timeline.choose(null);
  const end = shownNow();
  timeline.choose(recordedAfter(end, -FIRST_CHOICE_S), end);
}

// --- texts ---

function whenOf(t) {
  const isToday = new Date(t * 1000).toDateString() === new Date(now() * 1000).toDateString();
  return isToday ? timeOf(t) : `${dayOf(t)}, ${timeOf(t)}`;
}

function setText(id, text) {
  setTextOf(byId(id), text);
}

let noteTimer = 0;

function say(text) {
  setText('note', text);
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => setText('note', ''), 4000);
}

// --- what the page shows ---

function tick() {
  if (section.hidden || document.hidden) return;
  const t = shownNow();
  // Where the recording ends, the server goes on with live pictures.
  if (mode === 'playing' && anchor.since !== null && t > now() - PRESENT_S / 2) return goLive();
  const ago = Math.max(0, now() - t);
  const isLive = mode === 'live';
  setText('ago', isLive ? '' : `−${longTime(Math.round(ago * 10) / 10)}`);
  setText('when', isLive ? '' : whenOf(t));
  setText('moment-mode', { live: '', paused: 'Paused', playing: 'Playback' }[mode]);
  byId('moment').hidden = isLive;
  const [label, shape] = mode === 'paused' ? ['Play', 'M6 4v12l10-6z'] : ['Pause', 'M6.5 4.5v11M13.5 4.5v11'];
  const button = byId('play');
  if (button.getAttribute('aria-label') !== label) {
    button.setAttribute('aria-label', label);
    button.title = `${label} (space)`;
    button.querySelector('path').setAttribute('d', shape);
  }
  byId('live').setAttribute('aria-pressed', String(isLive));
  describe(t, ago);
  timeline.draw();
}

function describe(t, ago) {
  const all = timeline.extent();
  const set = (name, value) => slider.setAttribute(`aria-${name}`, value);
  set('valuemin', Math.floor(all.start));
  set('valuemax', Math.ceil(all.end));
  set('valuenow', Math.round(t));
  set('valuetext', mode === 'live' ? 'Live' : `${whenOf(t)}, ${longTime(ago)} ago, ${mode}`);
}

// With --on-segment, segments that wait for the archive. One or two always do for a moment.
function archiveText(archive) {
  if (!archive || !archive.cause && archive.waiting < 3) return '';
  const why = archive.cause ? ` (${archive.cause})` : '';
  return ` · ${archive.waiting} ${archive.waiting === 1 ? 'file waits' : 'files wait'} for the archive${why}`;
}

function showReport() {
  const button = byId('record');
  button.setAttribute('aria-checked', String(report.on));
  section.dataset.record = report.state;
  const held = `${bytesOf(report.bytes)} of ${bytesOf(report.max_bytes)}`;
  const texts = {
    off: `Not recording · ${held}`,
    starting: 'Starting to record',
    waiting: `Recording when something moves · ${held}`,
    recording: `Recording · ${held}`,
    failed: `Recording failed: ${report.cause || 'unknown cause'}`,
  };
  setText('record-state', (texts[report.state] || report.state) + archiveText(report.on_segment));
}

async function switchRecording() {
  try {
    const reply = await ask(report?.on ? 'record/stop' : 'record/start', { method: 'POST' });
    if (!reply.ok) throw new Error((await reply.text()).trim().slice(0, 200));
    setReport(await reply.json());
    showReport();
    list();
  } catch (error) {
    say(error instanceof TypeError ? 'The server does not answer.' : error.message);
  }
}

// --- wiring ---

const KEYS = {
  ' ': toggle, k: toggle,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  'shift ArrowLeft': () => jump(-JUMP_S), 'shift ArrowRight': () => jump(JUMP_S),
  PageUp: () => jump(JUMP_S), PageDown: () => jump(-JUMP_S),
  Home: () => spans.length && seek(spans[0].start), End: goLive, l: goLive,
  n: () => events.step(1), p: () => events.step(-1),
  '+': () => timeline.zoom(.5), '-': () => timeline.zoom(2), '=': () => timeline.zoom(.5),
};
// On other elements these keys scroll the page.
const ON_TIMELINE = ['PageUp', 'PageDown', 'Home', 'End'];

function keyPressed(event) {
  if (section.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && choice) return timeline.choose(null);
  if (event.target.closest?.('input, select, textarea')) return;
  if (event.key === ' ' && event.target.closest?.('button, a, summary')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isPlain = ON_TIMELINE.includes(key) && event.target !== slider && event.target !== document.body;
  const action = KEYS[(event.shiftKey && event.key.length > 1 ? 'shift ' : '') + key];
  if (!action || isPlain) return;
  event.preventDefault();
  action();
}

function statusCame({ detail: status }) {
  const wasHidden = section.hidden;
  section.hidden = byId('playback-keys').hidden = !status.recording;
  if (section.hidden && mode !== 'live') goLive();
  if (wasHidden && !section.hidden) list();
  events.statusCame(status);
}

function visibilityChanged() {
  // A hidden stream would take a seat and bandwidth.
  if (document.hidden && mode === 'playing') pause();
  else list().then(tick);
}

byId('back').onclick = () => jump(-JUMP_S);
byId('earlier').onclick = () => step(-1);
byId('play').onclick = toggle;
byId('later').onclick = () => step(1);
byId('live').onclick = goLive;
byId('speed').onchange = () => { if (mode === 'playing') play(); };
byId('record').onclick = switchRecording;
byId('zoom-in').onclick = () => timeline.zoom(.5);
byId('zoom-out').onclick = () => timeline.zoom(2);
byId('choose').onclick = chooseAtFirst;
byId('selection-start').onclick = () => timeline.choose(shownNow(), Math.max(choice.end, shownNow()));
byId('selection-end').onclick = () => timeline.choose(Math.min(choice.start, shownNow()), shownNow());
byId('selection-clear').onclick = () => timeline.choose(null);
byId('format').onchange = () => showChoice(choice);
document.addEventListener('keydown', keyPressed);
document.addEventListener('visibilitychange', visibilityChanged);
document.addEventListener('status', statusCame);
setInterval(tick, TICK_MS);
setInterval(list, LIST_EVERY_MS);

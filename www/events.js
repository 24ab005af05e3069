// What happened at the camera: a list with pictures, marks for the timeline, and steps from one event to the next.

import { byId, make, setText, url } from './common.js';
import { ask, longTime, now, recordedAfter, spanAt } from './recordings.js';

// Title and colour of each type. Who watches, and finished segments, are for programs.
const TYPES = {
  'motion-begin': ['Motion', '--mark'], 'camera-lost': ['Camera lost', '--bad'], 'camera-back': ['Camera back', '--good'],
  'recording-started': ['Recording started', '--quiet'], 'recording-stopped': ['Recording stopped', '--quiet'],
  'recording-failed': ['Recording failed', '--bad'],
};
const ASKED = [...Object.keys(TYPES), 'motion-end'].join();
const AT_ONCE = 60;
const MOST = 600;
// A picture of this moment may be on its way to the disk.
const PICTURE_AGAIN_MS = 2500;
// A playback this short before or after an event is at the event.
const BEFORE_S = 3;
const AFTER_S = 1.5;

const section = byId('events');
const list = byId('event-list');
const earlier = byId('events-earlier');

// source gives the state: shown(); has whenOf(t); and takes actions: seek(t), say(text), changed().
export function makeEvents(source) {
  const all = new Map();       // id -> { time, end, type, data, item, button, text, image }
  let sorted = [];             // newest first
  let newest = null;           // of the motions
  let camera = '';
  let state = '';              // changes when something happens
  let isBusy = false;
  let jumpedTo = null;         // time

  // --- asking the server ---

  // A stream of events would hold one of the six connections that a browser opens to a host, of which each window of this
  // page holds two. The status says when there is something new.
  function statusCame(status) {
    const { name, since, motion } = status.camera;
    const next = [name, since, motion?.begun, motion?.moving, status.recording?.state, status.recording?.since].join();
    if (name !== camera) all.clear();
    camera = name;
    if (next !== state && !isBusy) load(sorted[0] && `&from=${sorted[0].time}`).then((done) => { if (done) state = next; });
  }

  async function load(period = '') {
    isBusy = true;
    const isFirst = !sorted.length;
    try {
      const reply = await ask(`events?type=${ASKED}&limit=${AT_ONCE}&camera=${encodeURIComponent(camera)}${period}`);
      if (!reply.ok) return false;
      const { events, more } = await reply.json();
      const fresh = events.filter(({ id }) => !all.has(id)).map(take).filter(Boolean);
      if (isFirst || period.startsWith('&to')) earlier.hidden = !more;
      if (!isFirst && fresh.length && !period.startsWith('&to')) setText(byId('event-new'), fresh.at(-1).label());
      render();
      return true;
    } catch {
      return false;
    } finally {
      isBusy = false;
    }
  }

  function take({ id, time, type, data }) {
    if (type === 'motion-end') {
      const begun = sorted.find((event) => event.type === 'motion-begin' && event.time < time);
      if (begun) begun.end ??= begun.time + data.duration_s;
      return null;
    }
    const event = makeCard(time, type, data);
    all.set(id, event);
    sorted = [...all.values()].sort((a, b) => b.time - a.time);
    return event;
  }

  // --- the list ---

  function makeCard(time, type, data) {
    const [title] = TYPES[type];
    const text = make('span', { className: 'when' });
    const button = make('button', { type: 'button', tabIndex: -1, title: data.cause ?? '' }, make('b', { textContent: title }), text);
    const event = { time, end: null, type, data, button, text, image: null, item: make('li', {}, button) };
    event.label = () => `${title}, ${text.textContent}`;
    event.item.style.setProperty('--tone', `var(${TYPES[type][1]})`);
    button.onclick = () => jump(event);
    return event;
  }

  function showPicture(event) {
    const address = url(`snapshot?at=${event.time.toFixed(6)}&width=240`);
    event.image = make('img', { alt: '', loading: 'lazy', src: address });
    event.image.onerror = () => {
      event.image.onerror = () => event.image.remove();
      setTimeout(() => { event.image.src = `${address}&again`; }, PICTURE_AGAIN_MS);
    };
    event.button.prepend(event.image);
  }

  function render() {
    while (sorted.length > MOST) {
      const oldest = sorted.pop();
      oldest.item.remove();
      for (const [id, event] of all) if (event === oldest) all.delete(id);
    }
    section.hidden = !sorted.length;
    newest = sorted.find(({ type }) => type === 'motion-begin');
    sorted.forEach((event, i) => {
      const { time, end, type, item, text } = event;
      const lasts = type !== 'motion-begin' ? '' : end ? ` · ${longTime(end - time)}` : event === newest ? ' · now' : '';
      setText(text, source.whenOf(time) + lasts);
      if (!event.image && spanAt(time)) showPicture(event);
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
    });
    // One place in the order of the Tab key, and arrows in the list.
    if (!list.contains(document.activeElement)) for (const { button } of sorted) button.tabIndex = button === sorted[0].button ? 0 : -1;
    source.changed();
  }

  function keyPressed(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = sorted.findIndex(({ button }) => button === event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = sorted[at + step]?.button;
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // --- going there ---

  // Where nothing was recorded, playback goes to the next picture.
  const placeOf = ({ time }) => (spanAt(time) ? time : recordedAfter(time, 0));

  function jump(event) {
    const at = placeOf(event);
    if (!spanAt(at)) return source.say('Nothing was recorded then.');
    for (const other of sorted) other.button.removeAttribute('aria-current');
    event.button.setAttribute('aria-current', 'true');
    event.item.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    byId('stage').scrollIntoView({ block: 'nearest' });
    jumpedTo = at;
    source.seek(at);
  }

  function step(n) {
    const shown = source.shown();
    const isThere = jumpedTo !== null && shown > jumpedTo - BEFORE_S && shown < jumpedTo + AFTER_S;
    const from = isThere ? jumpedTo : shown;
    const next = n > 0 ? sorted.findLast((event) => placeOf(event) > from + .001) : sorted.find((event) => placeOf(event) < from - .001);
    if (next) jump(next);
    else source.say(n > 0 ? 'There is no later event.' : 'There is no earlier event.');
  }

  list.addEventListener('keydown', keyPressed);
  earlier.onclick = () => load(`&to=${sorted.at(-1).time - 1e-6}`);

  // What has no end goes on, if nothing has begun since.
  const marks = () => sorted.map((event) => {
    const { time, end, type } = event;
    return { start: time, end: end ?? (event === newest ? now() : time), colour: TYPES[type][1] };
  });
  return { statusCame, render, step, marks };
}

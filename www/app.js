// The page of one camera: its stream, status, snapshots and full screen. grid.js shows several cameras.

import {
  byId, folder, instanceOf, isOfOneCamera, isSlowLine, make, makeTimers, randomKey, replaceImage, request, setText as setTextOf, smaller, url,
} from './common.js';

// --- constants ---

const POLL_MS = 2000;
const POLL_UNSETTLED_MS = 1000;
const FIRST_POLL_MS = 400;
const SEAT_FREE_MS = 1000;
const HIDDEN_GRACE_MS = 3000;
const STILL_EVERY_MS = 5000;
const NO_BYTES_MS = 10000;
const NO_VIEWER_ROW_MS = 4000;
const NO_ANSWER_MS = 30000;
const NO_BEAT_MS = 3500;
const FIND_BEAT_MS = 700;
const SPREAD_MS = 400;
const RETRY_S = [1, 2, 4, 8, 15];
const BAR_RESTS_MS = 3000;
const ANNOUNCE_AFTER_MS = 700;
// A line is slow when so small a part of the camera's pictures comes through it, at a number of looks in a row.
const SLOW_PART = .6;
const SLOW_LOOKS = 3;
const SLOW_AFTER_S = 4;
// Full width of the picture as shown, then half of it.
const MOST_REDUCED = 2;
const FULL_AFTER_REFUSAL_MS = 60000;
const FIT_AFTER_MS = 500;

const LABELS = {
  starting: 'Starting', idle: 'Waking up', live: 'Live', lost: 'Camera lost',
  full: 'Seats taken', offline: 'No connection', hidden: 'Paused',
};

const viewer = byId('viewer');
const stage = byId('stage');
const still = byId('still');

// --- what the page knows ---

let asleep = true;             // the page is hidden: no stream, no requests
let single = false;            // set when grid.js finds that this page shows one camera
let leaving = true;            // before pageshow and after pagehide
let offline = false;           // the server does not answer
let refused = false;           // the last stream was refused, and no picture has come since
let status = null;             // last answer of the server
let failedPolls = 0;           // in a row
let errorCode = 0;             // HTTP status of the last failed poll; 0 when no reply came
let stream = null;             // { image, key, openedAt, hasPicture, row, bytes, bytesAt, instance, heardAt, beat }
let attempts = 0;              // failed connections in a row
let retryAt = 0;
let shown = '';                // the state that the page shows
let spoken = '';
let lastPoll = 0;
let fitted = '';               // the ratio of the picture that the page is laid out for
let reduced = 0;               // by how much the picture is made smaller, as the line is slow
let wantsFull = false;         // somebody asked for the full size
let fullUntil = 0;             // the server makes no smaller pictures now
let slowLooks = 0;             // in a row
let past = null;               // { label, clock, at() } while playback.js shows what was recorded

const { after, cancel } = makeTimers();

// --- the stream ---

function openStream() {
  closeStream();
  cancel('retry');
  retryAt = 0;
  offline = false;
  if (past) {
    after('poll', FIRST_POLL_MS, poll);
    return render();
  }

  const image = byId('picture');
  const key = randomKey();
  watchImage(image, key, widthToAsk());
  image.src = url('video_feed?key=' + key + smaller.query());
  render();
}

function watchImage(image, key, width) {
  const now = performance.now();
  const opened = {
    image, key, openedAt: now, hasPicture: false, row: null, bytes: -1, bytesAt: now, instance: '', heardAt: now, beat: null, width,
  };
  stream = opened;
  image.onload = () => { if (stream === opened) pictureArrived(); };
  image.onerror = () => { if (stream === opened) streamFailed(); };
  after('poll', FIRST_POLL_MS, poll);
}

// The page of one camera has the stream in its HTML, so that it begins before the scripts are here. It is taken over, unless
// nobody sees it or the line is slow. HTML out of the browser's cache can have the key of a stream that runs in another tab,
// which does no harm.
function takeEarlyStream() {
  const image = byId('picture');
  leaving = false;
  if (document.hidden || widthToAsk()) {
    replaceImage(image);
    // Not at once: the server may have one seat, and must see first that it is free.
    return after('begin', SEAT_FREE_MS, () => { single = true; wake(); });
  }
  single = true;
  asleep = false;
  watchImage(image, new URL(image.src).searchParams.get('key'), 0);
  if (image.naturalWidth) pictureArrived();
  else if (image.complete) streamFailed();
  render();
}

// The last picture stays visible.
function closeStream() {
  if (!stream) return;
  const { image, beat } = stream;
  if (image.naturalWidth) keepStill(image, image.naturalWidth, image.naturalHeight);
  stream = null;
  beat?.abort();
  cancel('beat');
  replaceImage(image, leaving);
  stage.classList.remove('pictured');
}

// Firefox calls this for each picture of a stream, other browsers for the first one. So for the others it only looks for a new
// size: what it changes on the page, Firefox lays out again before it shows the picture.
function pictureArrived() {
  fitStage(stream.image.naturalWidth, stream.image.naturalHeight);
  if (stream.hasPicture) return;
  stream.hasPicture = true;
  stream.instance = instanceOf(stream.key);
  if (!stream.beat) followBeat(stream);
  refused = false;
  stage.classList.add('pictured');
  render();
}

function streamFailed() {
  const { width } = stream;
  closeStream();
  // Perhaps only the smaller picture is refused.
  if (width) {
    fullUntil = performance.now() + FULL_AFTER_REFUSAL_MS;
    return openStream();
  }
  refused = true;
  retryLater();
  poll();
}

// An <img> fires no event when its stream ends. So this page also reads the stream's heartbeat, a reply that ends with it.
// Behind a balancer, a server that does not know the stream may answer: then this page asks again.
async function followBeat(of) {
  const abort = of.beat = new AbortController();
  let beats = -1;
  try {
    const reply = await fetch(url('heartbeat?key=' + of.key), { cache: 'no-store', signal: abort.signal });
    if (stream !== of) return;
    if (!reply.ok) {
      after('beat', reply.status === 404 ? FIND_BEAT_MS : NO_BYTES_MS, () => followBeat(of));
      return;
    }
    const reader = reply.body.getReader();
    for (let done = false; !done; { done } = await reader.read()) {
      beats += 1;
      of.heardAt = performance.now();
      if (beats > 0) attempts = 0;
      // Not after the first: a camera that starts has no pictures yet.
      if (beats > 1) after('beat', NO_BEAT_MS, () => abort.abort());
    }
  } catch {
    // It broke off, as far as it had begun.
  }
  if (stream === of) streamEnded(beats >= 0);
}

// All pages of a server that stops come back, but not in the same moment.
function streamEnded(hadBeat) {
  if (!hadBeat) {
    after('beat', FIND_BEAT_MS, () => followBeat(stream));
  } else if (attempts === 0) {
    closeStream();
    attempts = 1;
    retryIn(SPREAD_MS / 1000 * Math.random());
    render();
  } else {
    reopenStream();
  }
}

// playback.js shows a recorded picture instead of the stream, or goes back to the stream.
function pastChanged({ detail }) {
  past = detail;
  if (past) {
    closeStream();
    cancel('retry', 'countdown', 'still');
    retryAt = attempts = 0;
    refused = false;
    render();
  } else if (!asleep && !offline) {
    openStream();
  }
}

// --- a smaller picture where the line is slow ---

// 0: the full size. The server gives the next size that is at least so wide.
function widthToAsk() {
  if (isSlowLine()) reduced ||= 1;
  if (!reduced || wantsFull || performance.now() < fullUntil) return 0;
  return Math.max(1, Math.ceil(stage.clientWidth / reduced));
}

smaller.query = () => {
  const width = widthToAsk();
  return width ? `&width=${width}` : '';
};

// The server knows which part of the camera's pictures this page has taken.
function watchLine() {
  const { row, hasPicture } = stream;
  const isSlow = hasPicture && row && row.age_s > SLOW_AFTER_S && status.camera.state === 'live'
    && row.fps < status.camera.fps * SLOW_PART;
  slowLooks = isSlow ? slowLooks + 1 : 0;
  if (slowLooks < SLOW_LOOKS || wantsFull || reduced === MOST_REDUCED) return;
  slowLooks = 0;
  reduced += 1;
  openStream();
}

function isReduced() {
  return Boolean(stream?.row?.variant);
}

function toggleFullSize() {
  wantsFull = !wantsFull;
  slowLooks = 0;
  if (stream) openStream();
  else render();
}

// A picture that is shown larger than before, in full screen or on a phone that was turned, may be too small.
function fitPicture() {
  if (stream && isReduced() && widthToAsk() > stream.width) openStream();
}

// Keeps the last picture under the message, so that a reconnection does not blink.
function keepStill(source, width, height) {
  still.width = width;
  still.height = height;
  still.getContext('2d').drawImage(source, 0, 0);
  stage.classList.add('stilled');
}

function fitStage(width, height) {
  if (!width || !height) return;
  const ratio = (width / height).toFixed(4);
  if (ratio === fitted) return;
  fitted = ratio;
  document.documentElement.style.setProperty('--ratio', ratio);
  remember('ratio', ratio);
}

// --- the server's status ---

async function poll() {
  if (asleep || document.hidden) return;
  const mine = ++lastPoll;
  cancel('poll');
  const reply = await request('status').catch(() => null);
  if (mine !== lastPoll || asleep || document.hidden) return;
  if (reply && reply.ok) serverAnswered(reply.body);
  else serverFailed(reply ? reply.code : 0);
}

function serverAnswered(answer) {
  const before = status;
  status = answer;
  failedPolls = 0;
  if (offline) openStream();
  else if (stream) watchStream();
  else if (refused && seatsFull(before) && !seatsFull(status)) retryIn(0.2 + Math.random());
  render();
  document.dispatchEvent(new CustomEvent('status', { detail: status }));
  after('poll', shown === 'live' || shown === 'past' ? POLL_MS : POLL_UNSETTLED_MS, poll);
}

// A single failed poll does not stop a running stream: the network may just be slow.
function serverFailed(code) {
  errorCode = code;
  failedPolls += 1;
  if (failedPolls < 2) {
    after('poll', POLL_UNSETTLED_MS / 2, poll);
    return;
  }
  offline = true;
  closeStream();
  cancel('still');
  retryLater();
  render();
}

// Also without a heartbeat, this page finds itself in the server's list of viewers, by its key, and sees there whether the
// stream still sends bytes, and how fast.
function watchStream() {
  if (stream.image.naturalWidth && !stream.hasPicture) pictureArrived();
  const now = performance.now();
  const row = status.viewers.find((one) => one.key === stream.key) || null;
  // Behind a balancer, another server may answer, which does not know this stream.
  const isOther = !row && stream.instance && stream.instance !== status.instance;
  if (isOther && now - stream.heardAt < NO_ANSWER_MS) return;
  stream.heardAt = now;
  const gone = !row && (isOther || stream.row || now - stream.openedAt > NO_VIEWER_ROW_MS);
  stream.row = row;
  const waitsForCamera = status.camera.state === 'starting' || status.camera.state === 'idle';
  if (row && (row.bytes !== stream.bytes || waitsForCamera)) {
    stream.bytes = row.bytes;
    stream.bytesAt = now;
    if (stream.hasPicture) attempts = 0;
  }
  if (gone || now - stream.bytesAt > NO_BYTES_MS) reopenStream();
  else watchLine();
}

function reopenStream() {
  closeStream();
  if (attempts === 0) {
    attempts = 1;
    openStream();
  } else {
    retryLater();
  }
}

// --- trying again ---

function retryLater() {
  const base = RETRY_S[Math.min(attempts, RETRY_S.length - 1)];
  attempts += 1;
  // Many pages may wait for the same server. The random part keeps them from reconnecting all at once.
  retryIn(base * (0.9 + 0.2 * Math.random()));
}

function retryIn(seconds) {
  retryAt = performance.now() + seconds * 1000;
  after('retry', seconds * 1000, tryNow);
  countDown();
}

function tryNow() {
  cancel('retry', 'countdown');
  retryAt = 0;
  if (offline) poll();
  else openStream();
  renderCountdown();
}

function countDown() {
  renderCountdown();
  if (retryAt) after('countdown', 1000, countDown);
}

// A camera may have fewer seats than the server (--max-viewers). Shown is the limit that leaves fewer seats free.
function seatsOf({ camera, seats }) {
  const own = { taken: camera.viewers, total: camera.max_viewers ?? Infinity };
  return own.total - own.taken < seats.total - seats.taken ? own : seats;
}

function seatsFull(answer) {
  if (!answer) return false;
  const { taken, total } = seatsOf(answer);
  return taken >= total;
}

// While all seats are taken, the page shows a still picture every few seconds: a snapshot takes no seat.
async function refreshStill() {
  after('still', STILL_EVERY_MS, refreshStill);
  const reply = await request('snapshot?full=0').catch(() => null);
  if (shown !== 'full' || !reply || !reply.ok) return;
  const bitmap = await createImageBitmap(reply.body).catch(() => null);
  if (!bitmap) return;
  fitStage(bitmap.width, bitmap.height);
  keepStill(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
}

// --- no stream while the page is hidden ---

function visibilityChanged() {
  if (!document.hidden) return wake();
  cancel('poll');
  after('sleep', HIDDEN_GRACE_MS, sleep);
}

function sleep() {
  if (asleep) return;
  asleep = true;
  cancel('poll', 'retry', 'countdown', 'still', 'sleep');
  closeStream();
  render();
}

function wake() {
  cancel('sleep');
  if (!single || leaving) return;
  if (document.hidden) return render();
  if (!asleep) return poll();
  asleep = false;
  attempts = failedPolls = 0;
  status = null;
  refused = false;
  openStream();
}

// --- what the page shows ---

function currentState() {
  const camera = status && status.camera.state;
  if (asleep) return 'hidden';
  if (offline) return 'offline';
  if (past) return 'past';
  if (refused && seatsFull(status)) return 'full';
  // Before the picture: the stream goes on while the camera is lost, with a drawn picture of the cause.
  if (camera === 'lost') return 'lost';
  if (stream && stream.hasPicture) return 'live';
  return camera === 'idle' ? 'idle' : 'starting';
}

function messageOf(state) {
  switch (state) {
    case 'starting':
      if (refused) return ['The stream does not start', 'The server answers but sends no stream.'];
      return attempts ? ['Reconnecting', 'The stream was interrupted.'] : ['Starting', 'Waiting for the first picture.'];
    case 'idle': return ['Starting the camera', 'It is off while nobody watches.'];
    case 'lost': return ['Camera lost', status.camera.cause || '', 'The picture returns automatically.'];
    case 'full': {
      const { total } = seatsOf(status);
      return [total === 1 ? 'The only seat is taken' : `All ${total} seats are taken`, 'Waiting for a free seat. Until then, a still picture every few seconds.'];
    }
    case 'offline': return [
      errorCode ? `The server answers with error ${errorCode}` : 'The server does not answer', '',
      'The picture returns automatically.'];
    case 'past': return [past.label, past.clock];
    case 'hidden': return ['Paused', 'The stream stops while this page is hidden.'];
    default: return ['Live', ''];
  }
}

function render() {
  const state = currentState();
  const label = state === 'past' ? past.label : LABELS[state];
  const [title, reason, hint = ''] = messageOf(state);
  if (state === 'full' && shown !== 'full') after('still', 0, refreshStill);
  if (state !== 'full') cancel('still');
  shown = state;

  document.documentElement.dataset.state = state;
  setText('state', label);
  setText('title', title);
  setText('reason', reason);
  setText('hint', hint);
  announce([title, reason, hint].filter(Boolean).join('. '));
  renderCountdown();
  if (status) renderStatus();
  document.title = state === 'live' ? nameOfPage() : `${label} · ${nameOfPage()}`;
  byId('picture').alt = state === 'live' ? 'Live picture of the camera' : '';
}

function renderCountdown() {
  const waiting = Boolean(refused || offline || retryAt);
  const seconds = Math.max(1, Math.round((retryAt - performance.now()) / 1000));
  setText('countdown', retryAt ? `Next try in ${seconds} s` : waiting ? 'Trying …' : '');
  byId('retry').hidden = !waiting;
}

function renderStatus() {
  const { camera, version, uptime_s } = status;
  const seats = seatsOf(status);
  const row = stream && stream.row;
  const known = shown === 'live' || shown === 'lost';
  setText('name', nameOfPage());
  setText('source', camera.source);
  setText('size', sizeOf(camera));
  const isSmaller = isReduced();
  setText('size-label', isSmaller ? 'Size, reduced' : 'Size');
  byId('size').title = isSmaller ? `of ${camera.width} × ${camera.height}, as the connection is slow` : '';
  byId('full-size').hidden = !isSmaller && !wantsFull;
  byId('full-size').setAttribute('aria-pressed', String(wantsFull));
  setText('fps', known && row ? `${Number(row.fps).toFixed(1)} fps` : '–');
  setText('age', known && row && row.frame_age_ms !== null ? shortTime(row.frame_age_ms) : '–');
  setText('seats', offline ? '–' : `${seats.taken} of ${seats.total}`);
  setText('server', `${nameOfServer()} ${version}, up ${longTime(uptime_s)}`);
}

function sizeOf(camera) {
  const { naturalWidth: width, naturalHeight: height } = (isReduced() && stream.image) || {};
  if (width > 1) return `${width} × ${height}`;
  return camera.width ? `${camera.width} × ${camera.height}` : '–';
}

// With several cameras, the page has the name of its camera.
function nameOfPage() {
  return status && status.cameras.length > 1 ? status.camera.name : nameOfServer();
}

function nameOfServer() {
  return (status && status.name) || 'mjpegd';
}

function shortTime(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function longTime(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

function setText(id, text) {
  setTextOf(byId(id), text);
}

// For screen readers: only states that last, and not the first "Starting", which would interrupt the page's title.
function announce(text) {
  if (text === spoken) return;
  if (spoken) after('announce', ANNOUNCE_AFTER_MS, () => setText('announce', text));
  spoken = text;
}

function note(text) {
  setText('note', text);
  after('note', 4000, () => setText('note', ''));
}

// --- snapshot ---

async function takeSnapshot() {
  const at = past && past.at();
  const reply = await request(past ? `snapshot?at=${at.toFixed(6)}` : 'snapshot').catch(() => null);
  if (!reply) return note('No snapshot: the server does not answer.');
  if (!reply.ok) return note(`No snapshot: ${reply.body.trim().slice(0, 200) || 'error ' + reply.code}`);
  const name = `mjpegd-${timestamp(past ? new Date(at * 1000) : new Date())}.jpg`;
  saveAs(reply.body, name);
  note(`Saved ${name}`);
}

function saveAs(blob, name) {
  const link = make('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  // Safari reads the blob some time after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function timestamp(date) {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60000);
  return local.toISOString().slice(0, 19).replaceAll(':', '-');
}

// --- full screen ---

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (viewer.classList.contains('full')) showFull(false);
  // On iPhones only videos can be full screen, so the picture fills the window instead.
  else if (viewer.requestFullscreen) viewer.requestFullscreen().catch(() => showFull(true));
  else showFull(true);
}

function showFull(full) {
  viewer.classList.toggle('full', full);
  byId('fullscreen').lastElementChild.textContent = full ? 'Leave full screen' : 'Full screen';
  stirBar();
}

function stirBar() {
  viewer.classList.remove('resting');
  after('bar', BAR_RESTS_MS, () => viewer.classList.add('resting'));
}

// --- remembering ---

// Storage throws where cookies are blocked. Without it the empty frame has the wrong shape until the first picture comes.
function remember(name, value) {
  try { localStorage.setItem(`mjpegd ${folder} ${name}`, value); } catch { return; }
}

function recall(name) {
  try { return localStorage.getItem(`mjpegd ${folder} ${name}`); } catch { return null; }
}

// --- wiring ---

function keyPressed(event) {
  if (!single || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  // In these fields a letter has a meaning of its own, such as choosing an item of a menu.
  if (event.target.closest?.('input, select')) return;
  const actions = { f: toggleFullScreen, s: takeSnapshot };
  if (event.key === 'Escape' && !document.fullscreenElement && viewer.classList.contains('full')) showFull(false);
  else actions[event.key.toLowerCase()]?.();
}

function start() {
  const ratio = Number(recall('ratio'));
  if (ratio > 0) document.documentElement.style.setProperty('--ratio', ratio);
  byId('retry').onclick = tryNow;
  byId('snapshot').onclick = (event) => { event.preventDefault(); takeSnapshot(); };
  byId('fullscreen').onclick = toggleFullScreen;
  byId('full-size').onclick = toggleFullSize;
  window.addEventListener('resize', () => after('fit', FIT_AFTER_MS, fitPicture));
  for (const move of ['pointermove', 'pointerdown', 'focusin']) viewer.addEventListener(move, stirBar);
  viewer.addEventListener('past', pastChanged);
  document.addEventListener('keydown', keyPressed);
  document.addEventListener('fullscreenchange', () => showFull(document.fullscreenElement === viewer));

  document.addEventListener('visibilitychange', visibilityChanged);
  window.addEventListener('pagehide', () => { leaving = true; sleep(); });
  window.addEventListener('pageshow', () => { leaving = false; wake(); });
  if (isOfOneCamera) takeEarlyStream();
  else document.addEventListener('single', () => { single = true; wake(); });
  window.addEventListener('online', () => { if (offline) tryNow(); });
}

start();

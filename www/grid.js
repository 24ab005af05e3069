// The page of all cameras, shown where there are several and the address names none: a tile for each, which links to the
// camera's own page. A browser opens six connections to a host. Three carry live tiles, one fetches snapshots for the
// other tiles in turn, one is the heartbeat of the live tiles, and one stays free for the status. On a page of one camera, the event 'single' starts app.js.

import {
  byId, instanceOf, isOfOneCamera, isSlowLine, make, makeTimers, randomKey, replaceImage, request, setText, url,
} from './common.js';

const MOST_LIVE = 3;
const POLL_MS = 2000;
const STILL_EVERY_MS = 1000;
const FAULT_EVERY_MS = 5000;
const NO_BYTES_MS = 10000;
const NO_VIEWER_ROW_MS = 4000;
const NO_ANSWER_MS = 30000;
const REOPEN_MS = 3000;
const REFUSED_MS = 15000;
// As on the page of one camera.
const NO_BEAT_MS = 3500;
const FIND_BEAT_MS = 700;
const SPREAD_MS = 400;
// The byte of the first stream in a heartbeat.
const FIRST_BYTE = 46;
// A tile that is only scrolled past opens no stream.
const SETTLE_MS = 150;
// More dots to a pixel of the page do not show in a tile.
const MOST_DENSE = 1.5;
const FULL_AFTER_REFUSAL_MS = 60000;

const section = byId('grid');
const list = byId('tiles');

let isGrid = false;
let away = true;               // before pageshow and after pagehide
let awake = false;
let tiles = [];
let status = null;
let failedPolls = 0;
let lastPoll = 0;
let fetching = null;           // AbortController of the running snapshot request
let beat = null;               // { keys, streams, abort }: the running heartbeat

const { after, cancel } = makeTimers();

const isOffline = () => failedPolls > 1;

// --- asking the server ---

async function ask(path, abort) {
  const { ok, body } = await request(path, abort);
  if (!ok) throw new Error(body.trim());
  return body;
}

async function poll() {
  if (!awake) return;
  const mine = ++lastPoll;
  const answer = await ask('status').catch(() => null);
  if (!awake || mine !== lastPoll) return;
  failedPolls = answer ? 0 : failedPolls + 1;
  if (answer) statusCame(answer);
  render();
  after('poll', POLL_MS, poll);
}

function statusCame(answer) {
  status = answer;
  const { cameras } = status;
  const names = cameras.map(({ name }) => name);
  if (names.join() !== tiles.map(({ name }) => name).join()) build(names);
  cameras.forEach((camera, i) => {
    const tile = tiles[i];
    tile.camera = camera;
    if (tile.stream) watchStream(tile);
  });
  const sized = cameras.find(({ width }) => width);
  if (sized) section.style.setProperty('--tile-ratio', (sized.width / sized.height).toFixed(4));
  arrange();
}

// --- tiles ---

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const tile = tiles.find(({ item }) => item === target);
    if (tile) tile.inView = isIntersecting;
  }
  after('arrange', SETTLE_MS, arrange);
}, { threshold: .25 });

function build(names) {
  const known = new Map(tiles.map((tile) => [tile.name, tile]));
  tiles = names.map((name) => known.get(name) ?? makeTile(name));
  for (const tile of known.values()) {
    if (tiles.includes(tile)) continue;
    closeStream(tile);
    observer.unobserve(tile.item);
  }
  list.replaceChildren(...tiles.map(({ item }) => item));
  for (const { item } of tiles) observer.observe(item);
}

function makeTile(name) {
  const canvas = make('canvas', { width: 4, height: 3 });
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Picture of ${name}`);
  const image = make('img', { alt: '' });
  const trouble = make('span', { className: 'trouble' });
  const frame = make('span', { className: 'frame' }, canvas, image, trouble);
  const label = make('span', { className: 'label', textContent: 'Waking up', id: `tile-label-${name}` });
  const title = make('span', { className: 'title', textContent: name, id: `tile-title-${name}` });
  const link = make('a', { href: `${name}/` }, frame, title, label);
  link.setAttribute('aria-labelledby', `${title.id} ${label.id}`);
  return {
    name, frame, canvas, image, trouble, label, item: make('li', {}, link), camera: null,
    inView: false, stream: null, isRefused: false, fullUntil: 0, streamAt: 0, cameBackAt: -Infinity, hasStill: false, stillAt: 0,
  };
}

// A tile is small, so a smaller picture is enough: the server gives the next size that is at least so wide. 0: the full size.
function widthToAsk(tile) {
  if (performance.now() < tile.fullUntil || !status.variants?.max) return 0;
  const density = isSlowLine() ? 1 : Math.min(devicePixelRatio, MOST_DENSE);
  return Math.max(1, Math.ceil(tile.frame.clientWidth * density));
}

function smallerWasRefused(tile) {
  tile.fullUntil = performance.now() + FULL_AFTER_REFUSAL_MS;
}

// Gives the live streams to the first tiles in view.
function arrange() {
  const now = performance.now();
  // One that comes back in a moment keeps its place.
  const live = tiles.filter((tile) => awake && tile.inView && now >= tile.streamAt - SPREAD_MS).slice(0, MOST_LIVE);
  for (const tile of tiles) if (tile.stream && !live.includes(tile)) closeStream(tile);
  for (const tile of live) if (!tile.stream && now >= tile.streamAt) openStream(tile);
  nextStill();
  render();
}

// --- live tiles ---

function openStream(tile) {
  const now = performance.now();
  const key = randomKey();
  const width = widthToAsk(tile);
  const stream = {
    key, openedAt: now, row: null, bytes: -1, bytesAt: now, hasPicture: false, instance: '', heardAt: now, width, beats: 0, beatAt: 0,
  };
  tile.stream = stream;
  tile.image.onload = () => { if (tile.stream === stream) pictureArrived(tile); };
  tile.image.onerror = () => { if (tile.stream === stream) streamFailed(tile); };
  tile.image.src = url(`${tile.name}/video_feed?key=${key}${width ? `&width=${width}` : ''}`);
}

function streamFailed(tile) {
  // A server that stops takes no stream, and soon another one does.
  if (performance.now() - tile.cameBackAt < NO_BYTES_MS) return giveUp(tile, REOPEN_MS);
  if (!tile.stream.width) return giveUp(tile, REFUSED_MS);
  // Perhaps only the smaller picture is refused.
  smallerWasRefused(tile);
  closeStream(tile);
  arrange();
}

function pictureArrived(tile) {
  tile.stream.hasPicture = true;
  tile.stream.instance = instanceOf(tile.stream.key);
  tile.isRefused = false;
  tile.frame.classList.add('pictured');
  after('follow', 0, followBeats);
  render();
}

// The last picture stays visible.
function closeStream(tile) {
  if (!tile.stream) return;
  const { image } = tile;
  if (tile.stream.hasPicture && image.naturalWidth) draw(tile, image, image.naturalWidth, image.naturalHeight);
  tile.stream = null;
  tile.image = replaceImage(image, away);
  tile.frame.classList.remove('pictured');
  after('follow', 0, followBeats);
}

// The next tile gets the stream. This one shows snapshots until its time to try again.
function giveUp(tile, ms) {
  tile.isRefused = ms === REFUSED_MS;
  tile.streamAt = performance.now() + ms * (0.9 + 0.2 * Math.random());
  closeStream(tile);
  arrange();
}

// An <img> fires no event when its stream ends or stalls, so the server's list of viewers shows whether it still runs.
function watchStream(tile) {
  const { stream, camera } = tile;
  if (tile.image.naturalWidth && !stream.hasPicture) pictureArrived(tile);
  const now = performance.now();
  const row = status.viewers.find(({ key }) => key === stream.key) ?? null;
  // Behind a balancer, another server may answer, which does not know this stream.
  const isOther = !row && stream.instance && stream.instance !== status.instance;
  if (isOther && now - stream.heardAt < NO_ANSWER_MS) return;
  stream.heardAt = now;
  const isGone = !row && (isOther || stream.row || now - stream.openedAt > NO_VIEWER_ROW_MS);
  stream.row = row;
  if (row && (row.bytes !== stream.bytes || camera.state === 'starting' || camera.state === 'idle')) {
    stream.bytes = row.bytes;
    stream.bytesAt = now;
  }
  if (isGone && stream.beats) comeBack(tile);
  else if (isGone || now - stream.bytesAt > NO_BYTES_MS) giveUp(tile, REOPEN_MS);
  // The tile has grown.
  else if (row?.variant && widthToAsk(tile) > stream.width) closeStream(tile);
}

// --- heartbeats, by which the page learns at once that a stream has ended or stands still ---

// One reply beats for all live tiles, with a byte for each, as each reply is one of six connections.
async function followBeats() {
  const streams = tiles.map(({ stream }) => stream).filter((stream) => stream?.hasPicture);
  const keys = streams.map(({ key }) => key).join('&key=');
  if (beat?.keys === keys) return;
  beat?.abort.abort();
  cancel('silence');
  if (!keys) {
    beat = null;
    return;
  }
  const mine = beat = { keys, streams, abort: new AbortController() };
  let begun = false;
  try {
    const reply = await fetch(url(`heartbeat?key=${keys}`), { cache: 'no-store', signal: mine.abort.signal });
    begun = reply.ok;
    const reader = reply.body.getReader();
    for (let part = {}; begun && !part.done; part = await reader.read()) heard(mine, part.value ?? []);
  } catch {
    // It broke off, as far as it had begun.
  }
  if (beat !== mine) return;
  beat = null;
  if (begun) beatEnded(streams);
  else after('follow', FIND_BEAT_MS, followBeats);
}

function heard({ streams }, bytes) {
  const now = performance.now();
  for (const byte of bytes) {
    const stream = streams[byte - FIRST_BYTE];
    if (stream) Object.assign(stream, { beats: stream.beats + 1, beatAt: now, heardAt: now });
  }
  findSilent(streams);
}

// Not after the first beat: a camera that starts has no pictures yet.
function findSilent(streams) {
  const oldest = performance.now() - NO_BEAT_MS;
  for (const tile of tiles) {
    if (streams.includes(tile.stream) && tile.stream.beats > 1 && tile.stream.beatAt <= oldest) comeBack(tile);
  }
  after('silence', NO_BEAT_MS, () => findSilent(streams));
}

// The reply ends with the first of its streams. The status says which that was, as soon as there is one.
async function beatEnded(streams) {
  if (!awake) return;
  const answer = await ask('status').catch(() => null);
  if (!answer) return after('follow', FIND_BEAT_MS, () => beatEnded(streams));
  for (const tile of tiles) {
    if (streams.includes(tile.stream) && !answer.viewers.some(({ key }) => key === tile.stream.key)) comeBack(tile);
  }
  followBeats();
}

// At once, but not in the same moment as all other pages of a server that stops, and later if that was done just now.
function comeBack(tile) {
  const now = performance.now();
  if (now - tile.cameBackAt < NO_BYTES_MS) return giveUp(tile, REOPEN_MS);
  tile.cameBackAt = now;
  tile.streamAt = now + SPREAD_MS * Math.random();
  closeStream(tile);
  after(`back ${tile.name}`, tile.streamAt - now, arrange);
}

// --- tiles without a stream ---

// Fetches a snapshot for the tile whose picture is oldest, then for the next.
async function nextStill() {
  cancel('still');
  if (!awake || fetching) return;
  const waiting = tiles.filter((tile) => tile.inView && !tile.stream);
  if (!waiting.length) return;
  const tile = waiting.reduce((a, b) => (b.stillAt < a.stillAt ? b : a));
  const now = performance.now();
  if (tile.stillAt > now) return after('still', tile.stillAt - now, nextStill);
  tile.stillAt = now + STILL_EVERY_MS;
  fetching = new AbortController();
  await takeStill(tile, fetching);
  fetching = null;
  nextStill();
}

async function takeStill(tile, abort) {
  const width = widthToAsk(tile);
  try {
    const size = width ? `&width=${width}` : '';
    const bitmap = await createImageBitmap(await ask(`${tile.name}/snapshot?full=0${size}`, abort));
    draw(tile, bitmap, bitmap.width, bitmap.height);
    bitmap.close();
  } catch {
    if (!awake) return;
    if (width) {
      smallerWasRefused(tile);
      tile.stillAt = 0;
      return;
    }
    // The status has the cause. A camera without pictures is tried less often, so that it does not delay the others.
    tile.hasStill = false;
    tile.stillAt = performance.now() + FAULT_EVERY_MS;
  }
  render();
}

function draw(tile, picture, width, height) {
  tile.canvas.width = width;
  tile.canvas.height = height;
  tile.canvas.getContext('2d').drawImage(picture, 0, 0);
  tile.hasStill = true;
}

// --- labels ---

function isFull({ camera, stream, isRefused }) {
  if (stream || !camera) return false;
  const { max_viewers: most, viewers } = camera;
  return (most !== null && viewers >= most) || (isRefused && status.seats.taken >= status.seats.total);
}

// The tone (for the colour), the label, and the text over the picture.
function labelOf(tile) {
  if (isOffline()) return ['bad', 'No connection', ''];
  if (tile.camera?.state === 'lost') return ['bad', 'Camera lost', tile.camera.cause ?? ''];
  if (tile.stream?.hasPicture) return ['good', 'Live', ''];
  if (isFull(tile)) return ['wait', tile.hasStill ? 'Seats taken, one picture a second' : 'Seats taken', ''];
  if (!tile.stream && tile.hasStill) return ['quiet', 'One picture a second', ''];
  return ['wait', tile.camera?.state === 'idle' ? 'Waking up' : 'Starting', ''];
}

function render() {
  for (const tile of tiles) {
    const [tone, label, trouble] = labelOf(tile);
    tile.item.dataset.tone = tone;
    setText(tile.label, label);
    setText(tile.trouble, trouble);
  }
  setText(byId('grid-trouble'), isOffline() ? 'The server does not answer. The pictures return automatically.' : '');
  const isSmaller = tiles.some(({ stream }) => stream?.row?.variant);
  setText(byId('source'), `${tiles.length} cameras${isSmaller ? ', in reduced size' : ''}`);
  setText(byId('server'), `${status.name} ${status.version}`);
}

// --- one camera or all ---

function update() {
  const was = awake;
  awake = isGrid && !away && !document.hidden;
  if (awake === was) return;
  if (!awake) fetching?.abort();
  arrange();
  poll();
}

// The link to all cameras: from a camera's page, and from a page that was loaded before a second camera was added.
function showLinkToAll({ named, cameras }) {
  const all = byId('all');
  all.hidden = cameras.length < 2;
  all.href = named ? '../' : './';
}

async function begin() {
  const answer = await ask('status').catch(() => null);
  isGrid = !isOfOneCamera && Boolean(answer) && answer.cameras.length > 1 && !answer.named;
  document.documentElement.dataset.view = isGrid ? 'grid' : 'single';
  if (isGrid) {
    section.hidden = false;
    statusCame(answer);
    update();
  } else {
    if (answer) showLinkToAll(answer);
    document.dispatchEvent(new Event('single'));
  }
}

document.addEventListener('status', ({ detail }) => showLinkToAll(detail));
document.addEventListener('visibilitychange', () => { if (isGrid) update(); });
window.addEventListener('pagehide', () => { away = true; if (isGrid) update(); });
window.addEventListener('pageshow', () => { away = false; if (isGrid) update(); });
begin();

// Motion: a graph of the last minute, and for setting it up what the detector sees, and zones and masks, which are drawn over
// the picture. Places are shares of the picture's width and height.

import { byId, make, makeTimers, setText, url } from './common.js';

const POLL_MS = 1000;
const GRID_MS = 300;
const TIMEOUT_MS = 5000;
const SPAN_S = 60;
// The share of the picture at the top of the graph, at least.
const LEAST_TOP = .02;
const MOVED_PX = 8;
const NEAR_PX = 14;
const MOST_UNDONE = 50;
const KINDS = { zones: 'Zone', masks: 'Mask' };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HOW = 'Click or tap the corners, or drag a rectangle; close it at the first corner or with Done. With keys: arrows move, '
  + 'space sets a corner, Enter is Done, Backspace takes a corner back, Esc gives up.';

const section = byId('motion');
const details = section.querySelector('details');
const graph = byId('activity');
const picture = byId('areas');
const { after } = makeTimers();

let camera = null;             // of the last status
let polling = false;
let looks = [];                // [time, share that differs, share that moves]
let minSize = 0;
let areas = null;              // { zones, masks, fixed, kept, locked }
let before = [];               // what areas were, to undo
let isUnsent = false;          // areas were changed, and the server does not know it
let isSending = false;
let draft = null;              // { kind, corners, at, press } while drawing
let grab = null;               // { kind, index, nth, was, dot, x, y, moved } while a corner is dragged

const isShown = () => details.open && Boolean(camera?.motion);
const wantsGrid = () => isShown() && byId('motion-grid').checked;

// --- asking the server ---

async function ask(path, body) {
  const options = { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body) Object.assign(options, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const reply = await fetch(url(path), options);
  if (!reply.ok) throw new Error((await reply.text()).trim().slice(0, 300));
  return reply.json();
}

const isAwake = () => camera?.motion && !document.hidden && ['live', 'past', 'full'].includes(document.documentElement.dataset.state);

async function poll() {
  polling = isAwake();
  if (!polling) return;
  const from = (looks.at(-1)?.[0] ?? 0) + .001;
  const answer = await ask(`motion?from=${from.toFixed(3)}${wantsGrid() ? '&grid=1' : ''}`).catch(() => null);
  // Its clock may have been set back.
  if (answer && answer.now < from) looks = [];
  if (answer) show(answer);
  after('poll', wantsGrid() ? GRID_MS : POLL_MS, poll);
}

function show(answer) {
  looks = [...looks, ...answer.looks].filter(([time]) => time > answer.now - SPAN_S);
  minSize = answer.min_size;
  drawGraph(answer.now);
  drawGrid(answer.grid);
  showState(answer.moving);
}

function showState(moving) {
  const { motion } = camera;
  const text = !motion ? 'off' : motion.cause ? `nothing is seen: ${motion.cause}` : moving ? 'something moves' : 'nothing moves';
  setText(byId('motion-state'), text);
  graph.setAttribute('aria-label', `Motion in the last minute; now ${text}`);
}

// --- the graph ---

function drawGraph(now) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [graph.clientWidth, graph.clientHeight];
  Object.assign(graph, { width: width * ratio, height: height * ratio });
  const context = graph.getContext('2d');
  const style = getComputedStyle(graph);
  context.scale(ratio, ratio);
  const top = Math.max(LEAST_TOP, 8 * minSize, ...looks.map((look) => look[1]));
  // Small things would be lost in a line that grows with the area.
  const heightOf = (share) => Math.sqrt(share / top) * height;
  const bar = (share, left, right) => context.fillRect(left, height - heightOf(share), right - left, heightOf(share));
  const xAt = (time) => (1 - (now - time) / SPAN_S) * width;
  looks.forEach(([time, changed, moving], i) => {
    // To the next look, if that is not long after.
    const right = Math.min(xAt(looks[i + 1]?.[0] ?? now), xAt(time + 2.5)) + .5;
    context.fillStyle = style.getPropertyValue('--recorded');
    bar(changed, xAt(time), right);
    context.fillStyle = style.getPropertyValue('--mark');
    bar(moving, xAt(time), right);
  });
  context.fillStyle = style.getPropertyValue('--quiet');
  for (let x = 0; x < width; x += 8) context.fillRect(x, height - heightOf(minSize), 4, 1);
}

// --- over the picture ---

function shape(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const sizeOf = () => [camera.width || 4, camera.height || 3];

// As many rectangles as cells would be slow, so all cells of a kind are one path.
function drawGrid(grid) {
  const [width, height] = sizeOf();
  const layer = byId('cells');
  if (!grid || !grid.width || !wantsGrid()) return layer.replaceChildren();
  const { width: across, cells } = grid;
  const [w, h] = [width / across, height * across / cells.length];
  const path = (kind) => {
    let d = '';
    for (let i = cells.indexOf(kind); i >= 0; i = cells.indexOf(kind, i + 1)) {
      d += `M${(i % across) * w} ${Math.floor(i / across) * h}h${w}v${h}h${-w}z`;
    }
    return shape('path', { d, class: `cell-${kind}` });
  };
  layer.replaceChildren(...['m', '1', '2'].map(path));
}

function points(corners) {
  const [width, height] = sizeOf();
  return corners.map(([x, y]) => `${x * width},${y * height}`).join(' ');
}

function drawAreas() {
  const [width, height] = sizeOf();
  picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
  picture.classList.toggle('on', isShown());
  picture.classList.toggle('drawing', Boolean(draft));
  if (draft) picture.setAttribute('tabindex', 0);
  else picture.removeAttribute('tabindex');
  const layer = byId('polygons');
  const dotAt = ([x, y], r, more) => shape('circle', { cx: x * width, cy: y * height, r, ...more });
  const shapes = listed().map(({ kind, corners, name, index }) => {
    const [x, y] = [0, 1].map((i) => corners.reduce((sum, corner) => sum + corner[i], 0) / corners.length);
    const label = shape('text', { x: x * width, y: y * height, 'font-size': height / 22 }, name);
    const isOwn = index !== undefined && !areas.locked && !draft;
    const handle = (corner, nth) => dotAt(corner, height / 60, { class: 'handle', 'data-of': `${kind} ${index} ${nth}` });
    const handles = isOwn ? corners.map(handle) : [];
    return shape('g', { class: kind }, shape('polygon', { points: points(corners) }), label, ...handles);
  });
  if (draft) {
    const { kind, corners, at, press } = draft;
    const outline = press?.moved ? rectangle(press.at, at) : [...corners, at];
    const dot = (corner, i) => dotAt(corner, height / (i ? 90 : 60));
    shapes.push(shape('g', { class: `${kind} draft` }, shape('polygon', { points: points(outline) }), ...outline.map(dot)));
  }
  layer.replaceChildren(...shapes);
}

const rounded = (corner) => corner.map((share) => Math.round(share * 1e4) / 1e4);
const rectangle = ([x, y], [right, bottom]) => [[x, y], [right, y], [right, bottom], [x, bottom]];

// All areas with their names; those of the configuration have no index.
function listed() {
  if (!areas) return [];
  return Object.keys(KINDS).flatMap((kind) => [
    ...areas.fixed[kind].map((corners, i) => ({ kind, corners, name: `${KINDS[kind]} ${i + 1} of the configuration` })),
    ...areas[kind].map((corners, index) => ({ kind, corners, index, name: `${KINDS[kind]} ${areas.fixed[kind].length + index + 1}` })),
  ]);
}

function render() {
  const { motion } = camera;
  section.hidden = false;
  graph.hidden = byId('motion-off').hidden = !motion;
  byId('motion-off').hidden = Boolean(motion);
  byId('motion-tools').hidden = !motion;
  const isLocked = !areas || areas.locked;
  for (const kind of Object.keys(KINDS)) {
    byId(`draw-${kind}`).disabled = isLocked;
    byId(`draw-${kind}`).setAttribute('aria-pressed', String(draft?.kind === kind));
  }
  byId('draw-done').disabled = !draft || draft.corners.length < 3;
  byId('draw-undo').disabled = !draft && !before.length;
  byId('area-list').replaceChildren(...listed().map(({ kind, index, name }) => {
    const item = make('li', {}, make('span', { textContent: name }));
    if (index === undefined || isLocked) return item;
    const button = make('button', { type: 'button', textContent: 'Delete' });
    button.setAttribute('aria-label', `Delete ${name}`);
    button.onclick = () => change({ [kind]: areas[kind].filter((_, i) => i !== index) });
    item.append(button);
    return item;
  }));
  drawAreas();
}

function update() {
  if (isShown()) refresh();
  else render();
}

const say = (text) => setText(byId('draw-help'), text);

// --- changing ---

// The browser's own texts are too technical. A DOMException is that of a timeout.
const messageOf = (error) => (error instanceof TypeError || error instanceof DOMException ? 'The server does not answer.' : error.message);

async function refresh() {
  try {
    areas = await ask('motion/areas');
    say(areas.locked ? 'Zones and masks are locked (--lock-controls).' : '');
  } catch (error) {
    say(messageOf(error));
  }
  render();
}

// One request at a time, so that none overtakes another. What changes meanwhile is sent afterwards.
async function change(next, isUndo = false) {
  if (!isUndo) before = [...before, { zones: areas.zones, masks: areas.masks }].slice(-MOST_UNDONE);
  Object.assign(areas, next);
  isUnsent = true;
  render();
  if (isSending) return;
  isSending = true;
  while (isUnsent) {
    isUnsent = false;
    const answer = await ask('motion/areas', { zones: areas.zones, masks: areas.masks }).catch((error) => error);
    if (isUnsent) continue;
    if (answer instanceof Error) {
      await refresh();
      say(messageOf(answer));
    } else {
      areas = answer;
      say(areas.kept ? 'Saved.' : 'Used until mjpegd ends. To keep it, start mjpegd with --state-dir.');
    }
  }
  isSending = false;
  render();
}

function begin(kind) {
  draft = draft?.kind === kind ? null : { kind, corners: [], at: [.5, .5], press: null };
  say(draft ? HOW : '');
  render();
  if (!draft) return;
  byId('stage').scrollIntoView({ block: 'nearest' });
  picture.focus({ preventScroll: true });
}

function finish(corners = draft.corners) {
  if (corners.length < 3) return;
  const { kind } = draft;
  draft = null;
  change({ [kind]: [...areas[kind], corners.map(rounded)] });
  byId(`draw-${kind}`).focus({ preventScroll: true });
}

function addCorner(corner) {
  draft.corners.push(corner);
  render();
}

// The last corner, then the drawing, then what was saved last.
function undo() {
  if (draft?.corners.length) draft.corners.pop();
  else if (draft) draft = null;
  else if (before.length) return change(before.pop(), true);
  render();
}

// --- mouse, finger and keys ---

function placeOf({ clientX, clientY }) {
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(picture.getScreenCTM().inverse());
  const [width, height] = sizeOf();
  return [x / width, y / height].map((share) => Math.max(0, Math.min(share, 1)));
}

function grabbed(event) {
  const { of } = event.target.dataset;
  if (!of || grab || event.button !== 0 || !event.isPrimary) return;
  const [kind, index, nth] = of.split(' ');
  picture.setPointerCapture(event.pointerId);
  grab = { kind, index: Number(index), nth: Number(nth), was: areas[kind], dot: event.target, x: event.clientX, y: event.clientY, moved: false };
  event.preventDefault();
}

// Where it stood before counts until it is let go.
function dragged(event) {
  const { kind, index, nth, was, dot, x, y } = grab;
  if (Math.hypot(event.clientX - x, event.clientY - y) > MOVED_PX) grab.moved = true;
  if (!grab.moved) return;
  const place = rounded(placeOf(event));
  areas[kind] = was.map((corners, i) => (i === index ? corners.map((corner, j) => (j === nth ? place : corner)) : corners));
  // In place: a finger holds the dot that it has touched.
  const [width, height] = sizeOf();
  dot.setAttribute('cx', place[0] * width);
  dot.setAttribute('cy', place[1] * height);
  dot.parentNode?.querySelector('polygon').setAttribute('points', points(areas[kind][index]));
}

function letGo(event) {
  const { kind, was, moved: hasMoved } = grab;
  const next = areas[kind];
  areas[kind] = was;
  grab = null;
  if (hasMoved && event.type === 'pointerup') change({ [kind]: next });
  else drawAreas();
}

function pressed(event) {
  if (!draft) return grabbed(event);
  if (event.button !== 0 || !event.isPrimary) return;
  picture.setPointerCapture(event.pointerId);
  draft.at = placeOf(event);
  draft.press = { at: draft.at, x: event.clientX, y: event.clientY, moved: false };
  drawAreas();
}

function moved(event) {
  if (grab && event.isPrimary) return dragged(event);
  if (!draft || !event.isPrimary) return;
  draft.at = placeOf(event);
  const { press, corners } = draft;
  if (press && !corners.length && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVED_PX) press.moved = true;
  drawAreas();
}

function released(event) {
  if (grab && event.isPrimary) return letGo(event);
  const press = draft?.press;
  if (!press) return;
  draft.press = null;
  draft.at = placeOf(event);
  if (event.type !== 'pointerup') return drawAreas();
  if (press.moved) return finish(rectangle(press.at, draft.at));
  const [first] = draft.corners;
  const { width, height } = picture.getBoundingClientRect();
  const isClosed = draft.corners.length >= 3 && Math.hypot((first[0] - draft.at[0]) * width, (first[1] - draft.at[1]) * height) < NEAR_PX;
  if (isClosed) finish();
  else addCorner(draft.at);
}

function keyPressed(event) {
  if (!draft) return;
  const by = event.shiftKey ? .1 : .02;
  const actions = {
    ' ': () => addCorner(draft.at), Enter: () => finish(), Backspace: undo, Escape: () => begin(draft.kind),
  };
  const arrow = ARROWS[event.key];
  if (arrow) draft.at = draft.at.map((share, i) => Math.max(0, Math.min(share + arrow[i] * by, 1)));
  else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
  // These keys have other meanings on the page.
  event.stopPropagation();
  drawAreas();
}

// --- wiring ---

document.addEventListener('status', ({ detail }) => {
  const was = camera;
  camera = detail.camera;
  if (!was || Boolean(was.motion) !== Boolean(camera.motion) || was.width !== camera.width) update();
  if (!polling) showState(camera.motion?.moving);
  if (!polling) poll();
});
details.addEventListener('toggle', () => {
  if (!details.open) draft = null;
  if (camera) update();
});
for (const kind of Object.keys(KINDS)) byId(`draw-${kind}`).onclick = () => begin(kind);
byId('draw-done').onclick = () => finish();
byId('draw-undo').onclick = undo;
byId('motion-grid').onchange = () => { drawGrid(null); after('poll', 0, poll); };
picture.addEventListener('pointerdown', pressed);
// Or a finger scrolls the page.
picture.addEventListener('touchstart', (event) => { if (grab) event.preventDefault(); }, { passive: false });
picture.addEventListener('pointermove', moved);
picture.addEventListener('pointerup', released);
picture.addEventListener('pointercancel', released);
picture.addEventListener('keydown', keyPressed);

// The timeline: an axis with a bar for each recorded span; zoom, hover and drag. It works with times in seconds since 1970
// and knows nothing of streams: the caller decides what happens when a time is chosen.

const NARROWEST_S = 2;
const FIRST_S = 3600;
const MOVED_PX = 5;
const EDGE_PX = { mouse: 6, pen: 10, touch: 22 };
const LABEL_PX = 84;
// The strip of marks at the top.
const MARK_PX = 7;
const NEAR_MARK_PX = 8;
const RESTS_AFTER_PAN_MS = 6000;
const STEPS_S = [
  .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400, 172800, 604800, 2419200, 14515200, 31536000,
];

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clockWithSeconds = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat([], { day: 'numeric', month: 'short' });

export const timeOf = (t) => clockWithSeconds.format(t * 1000);
export const dayOf = (t) => day.format(t * 1000);

// element contains a <canvas>, a .head, a .choice and a .preview.
// source gives the state: spans(), marks(), now(), shown(); and takes actions: seek(t), choose(choice), picture(t, signal).
export function makeTimeline(element, source) {
  const canvas = element.querySelector('canvas');
  const part = (name) => element.querySelector(`.${name}`);
  const [head, box, preview] = [part('head'), part('choice'), part('preview')];
  let view = null;             // { start, end }
  let isFirst = true;          // the view is the default, and the list of spans has not arrived yet
  let follows = true;          // the view moves with the present time
  let pannedAt = -Infinity;
  let choice = null;           // { start, end }
  let width = 0;

  // --- times and positions ---

  const timeAt = (x) => view.start + (x / width) * (view.end - view.start);
  const xAt = (t) => ((t - view.start) / (view.end - view.start)) * width;
  const xOf = (event) => event.clientX - canvas.getBoundingClientRect().left;

  function extent() {
    const now = source.now();
    const first = source.spans()[0]?.start ?? now;
    return { start: Math.min(first, now - 10), end: now };
  }

  function setView(start, end) {
    const all = extent();
    const margin = (all.end - all.start) * .02;
    const longest = all.end - all.start + 2 * margin;
    const length = Math.min(Math.max(end - start, NARROWEST_S), longest);
    const least = all.start - margin;
    const most = all.end + Math.max(margin * length / longest, length * .02);
    let from = (start + end - length) / 2;
    from = Math.max(least, Math.min(from, most - length));
    view = { start: from, end: from + length };
    follows = view.end >= all.end;
  }

  function moveAlong() {
    const now = source.now();
    if (isFirst) setView(Math.max(extent().start, now - FIRST_S), now);
    if (source.spans().length) isFirst = false;
    const length = view.end - view.start;
    if (follows) setView(now + length * .02 - length, now + length * .02);
    const shown = source.shown();
    const isOut = shown < view.start || shown > view.end;
    if (isOut && performance.now() - pannedAt > RESTS_AFTER_PAN_MS) setView(shown - length / 2, shown + length / 2);
  }

  function zoom(factor, at = source.shown()) {
    if (!view) return;
    const middle = at >= view.start && at <= view.end ? at : (view.start + view.end) / 2;
    pannedAt = performance.now();
    setView(middle - (middle - view.start) * factor, middle + (view.end - middle) * factor);
    draw();
  }

  function pan(seconds) {
    pannedAt = performance.now();
    setView(view.start + seconds, view.end + seconds);
    draw();
  }

  // --- drawing ---

  function draw() {
    width = canvas.clientWidth;
    if (!width) return;
    moveAlong();
    const height = canvas.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(element);
    drawAxis(context, style, height);
    drawSpans(context, style, height - 18);
    drawMarks(context, style, height - 18);
    drawHead();
  }

  // Of each event a strip as long as it lasted, and a line down from its beginning.
  function drawMarks(context, style, height) {
    for (const { start, end, colour } of source.marks()) {
      if (end < view.start || start > view.end) continue;
      const x = xAt(start);
      context.fillStyle = style.getPropertyValue(colour);
      context.fillRect(x, 0, Math.max(xAt(end) - x, 3), MARK_PX);
      context.fillRect(x, 0, 1, height);
    }
  }

  // A click into the strip of marks means the event.
  function markAt(event) {
    if (event.clientY - canvas.getBoundingClientRect().top > MARK_PX + 2) return undefined;
    const x = xOf(event);
    const near = source.marks().filter(({ start }) => Math.abs(xAt(start) - x) < NEAR_MARK_PX);
    return near.sort((a, b) => Math.abs(xAt(a.start) - x) - Math.abs(xAt(b.start) - x))[0]?.start;
  }

  function drawSpans(context, style, height) {
    context.fillStyle = style.getPropertyValue('--recorded');
    for (const { start, end } of source.spans()) {
      if (end < view.start || start > view.end) continue;
      const left = Math.max(xAt(start), 0);
      context.fillRect(left, 6, Math.max(Math.min(xAt(end), width) - left, 1.5), height - 6);
    }
  }

  function drawAxis(context, style, height) {
    const length = view.end - view.start;
    const step = STEPS_S.find((step) => (step / length) * width >= LABEL_PX) || STEPS_S.at(-1);
    const zone = new Date(view.start * 1000).getTimezoneOffset() * 60;
    context.fillStyle = style.getPropertyValue('--quiet');
    context.font = `12px ${style.fontFamily}`;
    context.textBaseline = 'bottom';
    const first = Math.ceil((view.start - zone) / step);
    for (let i = first; i * step + zone <= view.end; i += 1) {
      const t = i * step + zone;
      const label = labelOf(t, step, i * step);
      const x = xAt(t);
      context.fillRect(Math.round(x), height - 18, 1, 4);
      const half = context.measureText(label).width / 2;
      if (x > half && x < width - half) context.fillText(label, x - half, height);
    }
  }

  function labelOf(t, step, local) {
    if (step >= 86400 || local % 86400 === 0) return dayOf(t);
    if (step >= 60) return clock.format(t * 1000);
    return timeOf(t) + (step < 1 ? `.${Math.round((t % 1) * 10) % 10}` : '');
  }

  function drawHead() {
    const x = xAt(source.shown());
    head.hidden = x < 0 || x > width;
    head.style.translate = `${x}px`;
    box.hidden = !choice;
    if (!choice) return;
    const left = Math.max(xAt(choice.start), 0);
    box.style.left = `${left}px`;
    box.style.width = `${Math.max(Math.min(xAt(choice.end), width) - left, 0)}px`;
  }

  // --- pointers ---

  const pointers = new Map();  // id -> x
  let drag = null;             // { kind: 'click' | 'choose' | 'pinch', from, x }

  function choose(start, end) {
    choice = start === null ? null : { start: Math.min(start, end), end: Math.max(start, end) };
    source.choose(choice);
    draw();
  }

  // The pointer is on an edge of the chosen span: the time of the opposite edge, which stays while this one is dragged.
  function oppositeEdge(x, type) {
    if (!choice) return null;
    const [left, right] = [Math.abs(xAt(choice.start) - x), Math.abs(xAt(choice.end) - x)];
    if (Math.min(left, right) > (EDGE_PX[type] || EDGE_PX.mouse)) return null;
    return left < right ? choice.end : choice.start;
  }

  function pressed(event) {
    if (event.button !== 0 || !view) return;
    canvas.setPointerCapture(event.pointerId);
    const x = xOf(event);
    pointers.set(event.pointerId, x);
    if (pointers.size > 1) {
      drag = { kind: 'pinch' };
      return;
    }
    const opposite = oppositeEdge(x, event.pointerType);
    drag = opposite === null ? { kind: 'click', from: timeAt(x), x } : { kind: 'choose', from: opposite, x };
  }

  function moved(event) {
    if (!view) return;
    const x = xOf(event);
    const before = pointers.get(event.pointerId);
    if (before !== undefined) pointers.set(event.pointerId, x);
    if (drag?.kind === 'pinch') return pinched(event.pointerId, before, x);
    if (drag?.kind === 'click' && Math.abs(x - drag.x) > MOVED_PX) drag.kind = 'choose';
    if (drag?.kind === 'choose') choose(drag.from, timeAt(Math.max(0, Math.min(x, width))));
    canvas.style.cursor = oppositeEdge(x, event.pointerType) === null ? '' : 'ew-resize';
    if (drag || event.pointerType === 'mouse') showPreview(x);
  }

  // Zooms so that the times under both fingers stay under them.
  function pinched(id, before, x) {
    const other = [...pointers].find(([key]) => key !== id)?.[1];
    if (other === undefined || before === undefined || Math.abs(x - other) < 10) return;
    const fixed = timeAt(other);
    const seconds = (timeAt(before) - fixed) / (x - other);
    if (seconds <= 0) return;
    pannedAt = performance.now();
    setView(fixed - other * seconds, fixed + (width - other) * seconds);
    draw();
  }

  function released(event) {
    const was = drag;
    pointers.delete(event.pointerId);
    if (pointers.size === 0) drag = null;
    if (event.pointerType !== 'mouse') hidePreview();
    if (event.type === 'pointerup' && was?.kind === 'click') source.seek(markAt(event) ?? was.from);
  }

  function wheeled(event) {
    if (!view) return;
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      pan((sideways / width) * (view.end - view.start));
    } else {
      zoom(1.0018 ** event.deltaY, timeAt(xOf(event)));
    }
  }

  // --- the preview: one request at a time, and the newest position next ---

  const image = preview.querySelector('img');
  const caption = preview.querySelector('figcaption');
  let desired = null;          // time
  let asking = null;           // AbortController of the running request

  function showPreview(x) {
    const t = timeAt(x);
    preview.hidden = false;
    caption.textContent = timeOf(t);
    const half = preview.offsetWidth / 2;
    preview.style.translate = `${Math.max(0, Math.min(x - half, width - 2 * half))}px`;
    desired = t;
    if (!asking) askForPreview();
  }

  async function askForPreview() {
    while (desired !== null) {
      const t = desired;
      desired = null;
      asking = new AbortController();
      const picture = await source.picture(t, asking.signal).catch(() => null);
      if (preview.hidden) break;
      image.hidden = !picture;
      if (picture) showBlob(image, picture.blob);
    }
    asking = null;
  }

  function hidePreview() {
    preview.hidden = true;
    desired = null;
    asking?.abort();
  }

  // --- wiring ---

  canvas.addEventListener('pointerdown', pressed);
  canvas.addEventListener('pointermove', moved);
  canvas.addEventListener('pointerup', released);
  canvas.addEventListener('pointercancel', released);
  canvas.addEventListener('pointerleave', hidePreview);
  canvas.addEventListener('wheel', wheeled, { passive: false });
  new ResizeObserver(draw).observe(canvas);

  return { draw, zoom, choose, extent };
}

// Shows a fetched picture and frees the one before.
export function showBlob(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  if (old.startsWith('blob:')) URL.revokeObjectURL(old);
}

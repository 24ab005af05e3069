// The strip of time: what was recorded as bars on an axis; zoom, hover and drag. It knows moments in seconds since 1970
// and nothing of streams: what to do with a moment is said by whoever made it.

const NARROWEST_S = 2;
const FIRST_S = 3600;
const MOVED_PX = 5;
const EDGE_PX = { mouse: 6, pen: 10, touch: 22 };
const LABEL_PX = 84;
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

// element: a box with a <canvas>, a .head, a .choice and a .preview in it.
// world: { spans(), now(), shown() } as they are; { seek(t), choose(choice), picture(t, signal) } as it is told.
export function makeTimeline(element, world) {
  const canvas = element.querySelector('canvas');
  const part = (name) => element.querySelector(`.${name}`);
  const [head, box, preview] = [part('head'), part('choice'), part('preview')];
  let view = null;             // { start, end }
  let isFirst = true;          // nobody chose it, and what was recorded is not known yet
  let follows = true;          // the view moves along with the present
  let pannedAt = -Infinity;
  let choice = null;           // { start, end }
  let width = 0;

  // --- moments and places ---

  const timeAt = (x) => view.start + (x / width) * (view.end - view.start);
  const placeOf = (t) => ((t - view.start) / (view.end - view.start)) * width;
  const xOf = (event) => event.clientX - canvas.getBoundingClientRect().left;

  function extent() {
    const now = world.now();
    const first = world.spans()[0]?.start ?? now;
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
    const now = world.now();
    if (isFirst) setView(Math.max(extent().start, now - FIRST_S), now);
    if (world.spans().length) isFirst = false;
    const length = view.end - view.start;
    if (follows) setView(now + length * .02 - length, now + length * .02);
    const shown = world.shown();
    const isOut = shown < view.start || shown > view.end;
    if (isOut && performance.now() - pannedAt > RESTS_AFTER_PAN_MS) setView(shown - length / 2, shown + length / 2);
  }

  function zoom(factor, at = world.shown()) {
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
    drawMarks();
  }

  function drawSpans(context, style, height) {
    context.fillStyle = style.getPropertyValue('--recorded');
    for (const { start, end } of world.spans()) {
      if (end < view.start || start > view.end) continue;
      const left = Math.max(placeOf(start), 0);
      context.fillRect(left, 6, Math.max(Math.min(placeOf(end), width) - left, 1.5), height - 6);
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
      const x = placeOf(t);
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

  function drawMarks() {
    const x = placeOf(world.shown());
    head.hidden = x < 0 || x > width;
    head.style.translate = `${x}px`;
    box.hidden = !choice;
    if (!choice) return;
    const left = Math.max(placeOf(choice.start), 0);
    box.style.left = `${left}px`;
    box.style.width = `${Math.max(Math.min(placeOf(choice.end), width) - left, 0)}px`;
  }

  // --- what is dragged ---

  const pointers = new Map();  // id -> x
  let drag = null;             // { kind: 'click' | 'choose' | 'pinch', from, x }

  function choose(start, end) {
    choice = start === null ? null : { start: Math.min(start, end), end: Math.max(start, end) };
    world.choose(choice);
    draw();
  }

  // The moment across from the edge of the choice that is under the pointer.
  function acrossFrom(x, type) {
    if (!choice) return null;
    const [left, right] = [Math.abs(placeOf(choice.start) - x), Math.abs(placeOf(choice.end) - x)];
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
    const across = acrossFrom(x, event.pointerType);
    drag = across === null ? { kind: 'click', from: timeAt(x), x } : { kind: 'choose', from: across, x };
  }

  function moved(event) {
    if (!view) return;
    const x = xOf(event);
    const before = pointers.get(event.pointerId);
    if (before !== undefined) pointers.set(event.pointerId, x);
    if (drag?.kind === 'pinch') return pinched(event.pointerId, before, x);
    if (drag?.kind === 'click' && Math.abs(x - drag.x) > MOVED_PX) drag.kind = 'choose';
    if (drag?.kind === 'choose') choose(drag.from, timeAt(Math.max(0, Math.min(x, width))));
    canvas.style.cursor = acrossFrom(x, event.pointerType) === null ? '' : 'ew-resize';
    if (drag || event.pointerType === 'mouse') showPreview(x);
  }

  // The moments under both fingers stay under them.
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
    if (event.type === 'pointerup' && was?.kind === 'click') world.seek(was.from);
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

  // --- the preview: one picture at a time is asked for, the newest wish next ---

  const image = preview.querySelector('img');
  const caption = preview.querySelector('figcaption');
  let wanted = null;
  let asking = null;           // AbortController

  function showPreview(x) {
    const t = timeAt(x);
    preview.hidden = false;
    caption.textContent = timeOf(t);
    const half = preview.offsetWidth / 2;
    preview.style.translate = `${Math.max(0, Math.min(x - half, width - 2 * half))}px`;
    wanted = t;
    if (!asking) askForPreview();
  }

  async function askForPreview() {
    while (wanted !== null) {
      const t = wanted;
      wanted = null;
      asking = new AbortController();
      const picture = await world.picture(t, asking.signal).catch(() => null);
      if (preview.hidden) break;
      image.hidden = !picture;
      if (picture) showBlob(image, picture.blob);
    }
    asking = null;
  }

  function hidePreview() {
    preview.hidden = true;
    wanted = null;
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

// Shows a picture that was fetched, and lets go of the one before.
export function showBlob(image, blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  if (old.startsWith('blob:')) URL.revokeObjectURL(old);
}

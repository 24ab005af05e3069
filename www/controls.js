// The camera's controls: sliders, switches, menus and buttons for what the server lists. Hidden when the list is empty.

import { byId, make, setText, url } from './common.js';

const REQUEST_TIMEOUT_MS = 10000;
// Nobody can set a slider of more steps than this by hand, so such a control has a number field only.
const MOST_STEPS = 100000;

const panel = byId('controls');
const details = panel.querySelector('details');
const groups = byId('control-groups');
const resetAll = byId('controls-reset');
const trouble = byId('controls-trouble');

const rows = new Map();        // name -> { control, element, show(control), fail(text), reset }
let pending = {};              // changes to be sent
let sending = false;
let dragged = '';              // name of the slider that the pointer drags: replies must not move it

// --- asking the server ---

async function ask(body) {
  const options = { cache: 'no-store', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
  if (body) Object.assign(options, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const reply = await fetch(url('controls'), options);
  const isJson = (reply.headers.get('Content-Type') || '').startsWith('application/json');
  if (!isJson) throw new Error((await reply.text()).trim().slice(0, 300) || `error ${reply.status}`);
  return (await reply.json()).controls;
}

// The browser's own text of such an error is too technical.
function messageOf(error) {
  if (error.name === 'TimeoutError') return 'The camera did not answer in time.';
  return error instanceof TypeError ? 'The server does not answer.' : error.message;
}

async function refresh() {
  try {
    const controls = (await ask()).filter((control) => makers[control.type]);
    say('');
    show(controls);
  } catch (error) {
    say(messageOf(error));
  }
}

// Changes made during a request are collected and sent together afterwards, the newest value of each control. So a slider
// that is dragged sends as often as the camera accepts values, and no more often.
async function send(changes) {
  Object.assign(pending, changes);
  if (sending) return;
  sending = true;
  while (Object.keys(pending).length) {
    const batch = pending;
    pending = {};
    try {
      answered(await ask(batch));
      say('');
    } catch (error) {
      say(messageOf(error));
    }
    // Switching an automatic control changes which other controls can be set.
    if (!Object.keys(pending).length) await refresh();
  }
  sending = false;
}

function answered(ends) {
  for (const [name, end] of Object.entries(ends)) rows.get(name)?.fail(end.error || '');
}

function say(text) {
  setText(trouble, text);
}

// --- showing ---

function show(controls) {
  panel.hidden = controls.length === 0;
  const names = controls.map((control) => control.name);
  if (names.join() !== [...rows.keys()].join()) build(controls);
  for (const control of controls) {
    if (control.name !== dragged && !(control.name in pending)) rows.get(control.name).show(control);
  }
}

function build(controls) {
  rows.clear();
  const sets = new Map();
  for (const control of controls) {
    if (!sets.has(control.group)) {
      const set = make('fieldset');
      set.append(make('legend', { textContent: control.group }));
      sets.set(control.group, set);
    }
    const row = makeRow(control);
    rows.set(control.name, row);
    sets.get(control.group).append(row.element);
  }
  groups.replaceChildren(...sets.values());
}

function isHeld({ flags }) {
  return flags.includes('inactive') || flags.includes('read_only') || flags.includes('grabbed');
}

function makeRow(first) {
  const { name, label } = first;
  const element = make('div', { className: 'control' });
  const error = make('p', { className: 'error', id: `control-${name}-error` });
  error.setAttribute('role', 'alert');
  const input = makers[first.type](first);
  const title = make(first.type === 'button' ? 'span' : 'label', { id: `control-${name}-label`, textContent: label });
  if (title.htmlFor !== undefined) title.htmlFor = input.main.id;
  const parts = [title, ...input.elements];
  const reset = make('button', { type: 'button', className: 'reset', textContent: 'Reset' });
  reset.setAttribute('aria-label', `Reset ${label}`);
  reset.onclick = () => send({ [name]: null });
  if (first.type !== 'button') parts.push(reset);
  input.main.setAttribute('aria-describedby', error.id);
  element.dataset.name = name;
  element.append(...parts, error);

  const row = {
    element,
    show(control) {
      const held = isHeld(control);
      input.show(control);
      for (const part of input.elements) part.disabled = held;
      element.classList.toggle('held', held);
      element.title = control.flags.includes('inactive') ? 'Set by an automatic control' : '';
      reset.disabled = held || control.value === control.default;
    },
    fail(text) {
      error.textContent = text;
      input.main.setAttribute('aria-invalid', String(text !== ''));
    },
  };
  return row;
}

// --- one maker for each type: { main, elements, show(control) } ---

const makers = {
  int: number, int64: number, bitmask: number, bool: switched, menu, intmenu: menu, button,
};

function number(control) {
  const { name } = control;
  const limits = { min: control.min, max: control.max, step: control.step || 1 };
  const field = make('input', { type: 'number', id: `control-${name}`, ...limits, inputMode: control.min < 0 ? 'text' : 'numeric' });
  field.onchange = () => {
    if (field.value === '') return refresh();
    send({ [name]: Math.round(Number(field.value)) });
  };
  const steps = (control.max - control.min) / (control.step || 1);
  if (control.type === 'bitmask' || steps > MOST_STEPS) {
    return { main: field, elements: [field], show: ({ value }) => { field.value = value ?? ''; } };
  }
  const slider = make('input', { type: 'range', ...limits });
  slider.setAttribute('aria-labelledby', `control-${name}-label`);
  slider.oninput = () => {
    field.value = slider.value;
    send({ [name]: Number(slider.value) });
  };
  slider.onpointerdown = () => { dragged = name; };
  slider.onpointerup = slider.onpointercancel = slider.onblur = () => { if (dragged === name) dragged = ''; };
  const show = ({ value }) => { field.value = value ?? ''; slider.value = value ?? control.default; };
  return { main: field, elements: [slider, field], show };
}

function switched({ name }) {
  const box = make('input', { type: 'checkbox', id: `control-${name}` });
  box.setAttribute('role', 'switch');
  box.onchange = () => send({ [name]: box.checked });
  return { main: box, elements: [box], show: ({ value }) => { box.checked = value === 1; } };
}

function menu({ name, menu: items }) {
  const select = make('select', { id: `control-${name}` });
  select.append(...items.map(({ index, label }) => make('option', { value: index, textContent: label })));
  select.onchange = () => send({ [name]: Number(select.value) });
  return { main: select, elements: [select], show: ({ value }) => { select.value = value; } };
}

function button({ name, label }) {
  const press = make('button', { type: 'button', id: `control-${name}`, textContent: 'Press' });
  press.setAttribute('aria-label', label);
  press.onclick = () => send({ [name]: 1 });
  return { main: press, elements: [press], show() {} };
}

// --- when to ask ---

resetAll.onclick = () => send({ '*': null });
details.addEventListener('toggle', () => { if (details.open) refresh(); });

// Controls can be read once the camera has a picture. After a loss it may be another camera or have lost its settings.
let known = '';
function stateChanged() {
  const { state } = document.documentElement.dataset;
  if (state !== known && (state === 'live' || state === 'full')) refresh();
  known = state;
}
new MutationObserver(stateChanged).observe(document.documentElement, { attributeFilter: ['data-state'] });
stateChanged();

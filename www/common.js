// What the parts of the page share: addresses, elements, timers, requests, and closing the stream of an <img>.

const REQUEST_TIMEOUT_MS = 5000;
// The server waits up to 9 s for the first picture of a camera that just starts.
const SNAPSHOT_TIMEOUT_MS = 12000;
const BLANK = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

// fetch() refuses URLs with a password, and relative URLs of a page opened as http://user:password@host/ have one. So the
// base has it removed.
const BASE = new URL('.', document.baseURI);
BASE.username = BASE.password = '';

export const folder = BASE.pathname;
export const url = (path) => new URL(path, BASE).href;

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Timers by name. Setting one that runs restarts it.
export function makeTimers() {
  const timers = {};
  return {
    after(name, ms, action) {
      clearTimeout(timers[name]);
      timers[name] = setTimeout(action, ms);
    },
    cancel(...names) {
      for (const name of names) clearTimeout(timers[name]);
    },
  };
}

// Whether the page's own HTML shows the stream of its camera. Several cameras have tiles instead.
export const isOfOneCamera = byId('picture').hasAttribute('src');

export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Which server sends the stream with this key, by the cookie that came with it; '' where cookies are blocked.
export function instanceOf(key) {
  const match = document.cookie.match(new RegExp(`(?:^|; )mjpegd_${key}=(\\w+)`));
  return match ? match[1] : '';
}

// Whether the browser says that its line is slow, or that it is to save data. Only Chromium and its kin know.
export function isSlowLine() {
  const { connection } = navigator;
  return Boolean(connection && (connection.saveData || /[23]g/.test(connection.effectiveType)));
}

// The width to ask the live picture for, as a part of its address; empty for the full size. app.js decides.
export const smaller = { query: () => '' };

// The body of a successful reply is an object for the status and a blob for all else; that of an error is text.
export async function request(path, abort = new AbortController()) {
  const isSnapshot = /(^|\/)snapshot(\?|$)/.test(path);
  const timer = setTimeout(() => abort.abort(), isSnapshot ? SNAPSHOT_TIMEOUT_MS : REQUEST_TIMEOUT_MS);
  try {
    const reply = await fetch(url(path), { cache: 'no-store', signal: abort.signal });
    const body = reply.ok ? await (path === 'status' ? reply.json() : reply.blob()) : await reply.text();
    return { ok: reply.ok, code: reply.status, body };
  } finally {
    clearTimeout(timer);
  }
}

// Ends the stream of an <img> and returns the new element in its place. Removing an <img> from the page leaves its
// connection open (crbug 73395), and so does removing its src in some browsers. Another picture as src closes it in all of
// them. The element is replaced as well, so that no late event or frame of the old stream shows.
export function replaceImage(image, isLeaving) {
  image.onload = image.onerror = null;
  image.removeAttribute('src');
  // While a page is being left, Chromium treats the load of a picture as a beacon, for which connect-src forbids data:.
  if (!isLeaving) image.src = BLANK;
  const fresh = make('img', { alt: '' });
  if (image.id) fresh.id = image.id;
  image.replaceWith(fresh);
  return fresh;
}

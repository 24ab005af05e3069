// What the parts of the page have in common: addresses, elements, timers, requests, and how an <img> is let go.

const REQUEST_TIMEOUT_MS = 5000;
const BLANK = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

// A page opened as http://user:password@host/ may not fetch() its own relative URLs, so the password is taken out.
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

// Timers by name: one that is set again begins anew.
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

export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// The body of a good answer is an object for the status, else a blob; that of another one is text.
export async function request(path, abort = new AbortController()) {
  const timer = setTimeout(() => abort.abort(), REQUEST_TIMEOUT_MS);
  try {
    const reply = await fetch(url(path), { cache: 'no-store', signal: abort.signal });
    const body = reply.ok ? await (path === 'status' ? reply.json() : reply.blob()) : await reply.text();
    return { ok: reply.ok, code: reply.status, body };
  } finally {
    clearTimeout(timer);
  }
}

// Ends the stream of an <img>, and gives the new one in its place. Taking an <img> off the page leaves its connection open
// (crbug 73395), and a missing src does in some browsers; a new picture closes it everywhere. The element is replaced as
// well, so that no late event or frame of the old one shows.
export function replaceImage(image, isLeaving) {
  image.onload = image.onerror = null;
  image.removeAttribute('src');
  // Chromium takes a picture loaded by a page that is being left for a beacon, and connect-src forbids data: to those.
  if (!isLeaving) image.src = BLANK;
  const fresh = make('img', { alt: '' });
  if (image.id) fresh.id = image.id;
  image.replaceWith(fresh);
  return fresh;
}

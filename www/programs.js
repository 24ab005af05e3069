// "Use this camera in other programs": addresses and configurations, each with a button that copies it.

import { byId, make, setText, url } from './common.js';

const NOTE_MS = 4000;
const COPIED_MS = 2000;

const panel = byId('elsewhere');
let needsLogin = false;
let noteTimer = 0;

// --- configurations ---

// What stands for a login that the server asks for.
const login = (path) => (needsLogin ? url(path).replace('//', '//user:password@') : url(path));

// Lines and not templates of several lines: the program holds this file without the blanks at the start of each line.
const PROGRAMS = {
  OctoPrint: () => [
    '# ~/.octoprint/config.yaml, or Settings > Classic Webcam',
    'plugins:',
    '  classicwebcam:',
    `    stream: ${url('stream')}`,
    `    snapshot: ${url('snapshot')}`,
    ...(needsLogin ? ['    snapshotAuth: basic', '    snapshotUsername: user', '    snapshotPassword: password'] : []),
  ],
  'Moonraker (Mainsail, Fluidd)': (name) => [
    '# moonraker.conf',
    `[webcam ${name}]`,
    'service: mjpegstreamer-adaptive',
    'target_fps: 15',
    `stream_url: ${url('stream')}`,
    `snapshot_url: ${login('snapshot')}`,
  ],
  'Home Assistant': () => [
    'Settings > Devices & services > Add integration > MJPEG IP Camera',
    `MJPEG URL: ${url('stream')}`,
    `Still image URL: ${url('snapshot')}`,
    ...(needsLogin ? ['Username: user', 'Password: password'] : []),
  ],
  Frigate: (name) => [
    '# config.yml: Frigate records H.264, which its go2rtc makes of the pictures',
    'go2rtc:',
    '  streams:',
    `    ${name}: "ffmpeg:${login('stream')}#video=h264#hardware"`,
    'cameras:',
    `  ${name}:`,
    '    ffmpeg:',
    '      inputs:',
    `        - path: rtsp://127.0.0.1:8554/${name}`,
    '          roles:',
    '            - detect',
    '            - record',
  ],
  go2rtc: (name) => [
    '# go2rtc.yaml',
    'streams:',
    `  ${name}: ${login('stream')}`,
  ],
};

// One word that all of them take for a name.
function nameOfCamera() {
  return byId('name').textContent.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '') || 'camera';
}

function fillConfiguration() {
  const lines = PROGRAMS[byId('program').value](nameOfCamera());
  setText(byId('configuration'), lines.join('\n'));
  byId('program-login').hidden = !needsLogin;
}

async function askForLogin() {
  // Without the login that the browser may have. Behind a proxy with a login of its own this finds that one.
  const reply = await fetch(url('status'), { method: 'HEAD', credentials: 'omit', cache: 'no-store' }).catch(() => null);
  needsLogin = Boolean(reply) && reply.status === 401;
  fillConfiguration();
}

// --- copying ---

function note(text) {
  setText(byId('note'), text);
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => setText(byId('note'), ''), NOTE_MS);
}

function copyButton(label, textOf) {
  const button = make('button', { type: 'button', textContent: 'Copy' });
  button.setAttribute('aria-label', `Copy: ${label()}`);
  button.onclick = async () => {
    const copied = await copy(textOf());
    note(copied ? `Copied: ${label()}` : 'The browser does not let this page copy. Select the text instead.');
    if (!copied) return;
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, COPIED_MS);
  };
  return button;
}

// navigator.clipboard exists on https and localhost only; a camera on the local network is plain http.
async function copy(text) {
  if (navigator.clipboard) {
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (done) return true;
  }
  const focused = document.activeElement;
  const area = make('textarea', { className: 'unseen', value: text, readOnly: true });
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused.focus({ preventScroll: true });
  return done;
}

// --- the panel ---

for (const item of panel.querySelectorAll('li')) {
  const [label, code] = item.children;
  const text = code.textContent.replace(/\{(\w+)\}/, (_, path) => url(path));
  const pieces = text.match(/[^/]+\/*/g);
  code.replaceChildren(...pieces.flatMap((piece) => [piece, make('wbr')]));
  item.append(copyButton(() => label.textContent, () => text));
}
byId('only-here').hidden = !/^(localhost|127\..*|\[::1\])$/.test(location.hostname);
byId('program').append(...Object.keys(PROGRAMS).map((name) => make('option', { textContent: name })));
byId('program').onchange = fillConfiguration;
const copyAll = copyButton(() => 'configuration', () => byId('configuration').textContent);
copyAll.className = 'button';
byId('program').after(copyAll);
panel.addEventListener('toggle', () => { if (panel.open) askForLogin(); });
fillConfiguration();

// A text comes in: pasted, chosen or dropped. It is sent to the app as a file, whatever it was.

// `look` is the preview's id at the desk; `file` is what was sent; `stop` ends what is waited for.
const held = { look: '', file: null, name: '', preview: null, run: null, stop: null };

const textSection = one('.ctx-bring-text');
const field = one('textarea');
const picker = one('input[type=file]');

const setState = (state) => {
  root.dataset.state = state;
};

const sizeText = (bytes) => {
  const [unit, by] = bytes < 1e6 ? ['kB', 1e3] : ['MB', 1e6];
  const n = bytes / by;
  return `${n.toLocaleString(language, { maximumFractionDigits: n < 10 ? 1 : 0 })} ${unit}`;
};

const showForms = () => {
  one('.ctx-bring-forms').textContent = t('bring_forms', { size: sizeText(props.limits.upload) });
};

const showTrouble = (reply) => {
  held.stop = null;
  setState('text');
  textSection.querySelector('[role=alert]').textContent = reply.error ? errorText(reply) : '';
};

// The bar of whatever is waited for; `part` from 0 to 1.
const showWait = (title, part, far, stop = 'stop') => {
  const bar = one('.ctx-bring-wait .ctx-bar');
  const percent = Math.round(100 * Math.min(Math.max(part, 0), 1));
  one('.ctx-bring-wait h2').textContent = title;
  one('.ctx-bring-far').textContent = far;
  bar.setAttribute('aria-valuenow', String(percent));
  bar.setAttribute('aria-label', title);
  bar.querySelector('i').style.width = percent + '%';
  const button = one('[data-do=stop]');
  if (!button.disabled) button.textContent = t(stop);
  one('.ctx-bring-leave').hidden = stop !== 'stop' || !held.run;
  setState('wait');
};

const send = (file) => {
  const ended = new AbortController();
  held.stop = () => ended.abort();
  const far = (share) => showWait(t('uploading', { name: held.name }), share, t('sent_of', { done: sizeText(share * file.size), all: sizeText(file.size) }));
  return sendFile(file, far, ended.signal);
};

const openFile = async (file, name) => {
  showTrouble({});
  Object.assign(held, { file, name, preview: null, run: null });
  const sent = await send(file);
  if (sent.stopped) return showTrouble({});
  if (sent.error) return showTrouble(sent);
  await lookAt({ path: sent.path });
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Asks for the preview until it is there; stopped, it is of the lines so far.
const lookAt = async (question) => {
  let stopped = false;
  held.stop = () => {
    stopped = true;
  };
  let reply = await ask('look', question);
  while (!reply.error && !reply.preview) {
    const far = t('lines_of', { n: reply.lines.toLocaleString(language), total: reply.total.toLocaleString(language) });
    showWait(t('looking_at', { name: held.name }), reply.lines / (reply.total || 1), far, 'stop_look');
    await pause(stopped ? 100 : 400);
    reply = await ask('looked', { look: reply.look, stop: stopped });
  }
  held.stop = null;
  if (reply.error) return showTrouble(reply);
  held.look = reply.look;
  held.preview = reply.preview;
  showPreview();
};

// A pasted text is called by its first words.
const lookAtText = () => {
  const text = field.value.trim();
  if (!text) return field.focus();
  const first = text.replace(/\s+/g, ' ');
  const name = first.length > 42 ? first.slice(0, 40).trimEnd() + '…' : first;
  openFile(new File([text], 'pasted.txt', { type: 'text/plain' }), `“${name}”`);
};

const takeFiles = (files) => {
  if (files.length > 1) return showTrouble({ error: 'one_file' });
  if (files.length) openFile(files[0], files[0].name);
};

picker.addEventListener('change', () => {
  takeFiles([...picker.files]);
  picker.value = ''; // the same file can be chosen again
});

// Dropped anywhere in the view: elsewhere the browser would leave the page for the file.
root.addEventListener('dragover', (event) => {
  if (![...event.dataTransfer.types].includes('Files')) return;
  event.preventDefault();
  root.classList.toggle('ctx-over', root.dataset.state === 'text');
});
root.addEventListener('dragleave', (event) => {
  if (!root.contains(event.relatedTarget)) root.classList.remove('ctx-over');
});
root.addEventListener('drop', (event) => {
  if (![...event.dataTransfer.types].includes('Files')) return;
  event.preventDefault();
  root.classList.remove('ctx-over');
  if (root.dataset.state === 'text' && !props.limits.hosted) takeFiles([...event.dataTransfer.files]);
});

field.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) lookAtText();
});

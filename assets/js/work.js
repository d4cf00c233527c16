// What views of long work share: questions to the app, answers that take a while, numbers in words,
// and asking before something is lost.

const isShown = () => root.offsetParent !== null;

const ask = async (name, question = {}) => {
  try {
    return (await server[name]({ who: recall('person') ?? '', ...question })) ?? { error: 'offline' };
  } catch {
    return { error: 'offline' };
  }
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The reply of work that the app does on a thread, asked about until it ends.
const finish = async (first) => {
  let reply = first;
  let missed = 0;
  const { work } = first;
  while (work && (reply.work || (reply.error === 'offline' && missed < 10))) {
    missed = reply.error ? missed + 1 : 0;
    await pause(500);
    reply = await ask('work', { work });
  }
  return reply;
};

// Nobody sees the view, or nothing changes in it: then it asks nothing.
const whenShown = (view, act) => {
  const check = () => document.body.dataset.view === view && act();
  window.addEventListener('ctx-view', check);
  window.addEventListener('ctx-pair', check);
  check();
};

const whole = (n) => n.toLocaleString(language);
const percent = (x) => `${(100 * x).toFixed(1)}\u00a0%`;

const timeText = (seconds) => {
  if (seconds < 90) return t('seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('minutes', { n: Math.round(seconds / 60) });
  return t('hours', { n: (seconds / 3600).toFixed(1) });
};

const whenText = (iso) =>
  iso ? new Date(iso).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' }) : '';

const sizeText = (bytes) => {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
};

// A number in few characters, whatever its size.
const shortText = (x) => {
  if (x && Math.abs(x) < 0.001) return x.toExponential(1).replace('.0e', 'e').replace('-', '−').replace('e-', 'e−');
  if (Math.abs(x) >= 1000) return Math.round(x).toLocaleString(language);
  return String(Number(x.toPrecision(4))).replace('-', '−');
};

const figureName = (name) => t('figure_' + name) || name.replaceAll('_', ' ');

const errorWithDetail = (reply) => (reply.detail ? `${errorText(reply)} ${reply.detail}` : errorText(reply));

const button = (text, does, className = '') => {
  const made = make('button', className, text);
  made.type = 'button';
  made.dataset.do = does;
  return made;
};

// Does what may take the focus away from something in `box`; it then goes to the first of what `next`
// names that can have it.
const keepFocusIn = (box, act, next) => {
  const had = document.activeElement;
  const was = box.contains(had);
  act();
  const isLost = !had.isConnected || had.disabled || had.closest('[hidden]');
  if (was && isLost) next(had).find((e) => e && !e.disabled && !e.hidden)?.focus();
};

const FILE_TYPES = { html: 'text/html', md: 'text/markdown', json: 'application/json' };

// A file that a reply brings, shown in `page`, a window that is open already, or else saved.
const giveFile = ({ text, name }, form, page) => {
  const address = URL.createObjectURL(new Blob([text], { type: `${FILE_TYPES[form]};charset=utf-8` }));
  if (page) page.location = address;
  else {
    const link = make('a', '');
    link.href = address;
    link.download = name;
    root.append(link);
    link.click();
    link.remove();
  }
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};

// Asks in a dialog; true for yes.
const isSure = (title, how, yes) => {
  const dialog = make('dialog', 'ctx-help ctx-ask-first');
  const form = make('form', 'ctx-row');
  form.method = 'dialog';
  const answers = [make('button', 'ctx-primary', yes), make('button', '', t('keep_it'))];
  answers[0].value = 'yes';
  answers[1].autofocus = true;
  form.append(...answers);
  dialog.append(make('h2', '', title), make('p', '', how), form);
  root.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      done(dialog.returnValue === 'yes');
    });
  });
};

// Jobs as they stand: how far, what they can be asked, what was set aside. Looked at again while
// one is at work.

const list = one('.ctx-jobs');
const opened = new Map(); // job → what of it is open: its log or what was set aside
let shown = [];

const WISHES = {
  queued: ['cancel'],
  running: ['pause', 'stop', 'cancel'],
  paused: ['resume', 'stop', 'cancel'],
  stopped: ['resume'],
  interrupted: ['resume'],
  failed: ['resume'],
  done: [],
  cancelled: [],
};

const timeText = (seconds) => {
  if (seconds < 90) return t('seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('minutes', { n: Math.round(seconds / 60) });
  return t('hours', { n: (seconds / 3600).toFixed(1) });
};

// A paused job still holds the wish to pause: that one is fulfilled.
const isAsked = (job) => Boolean(job.asked) && !(job.state === 'paused' && job.asked === 'pause');

const stateText = (job) => {
  if (job.state === 'queued') return t('job_queued', { n: job.place });
  if (isAsked(job)) return t('job_asked_' + job.asked);
  return t('job_' + job.state);
};

const figuresText = (job) => {
  const total = job.total === null ? '?' : job.total.toLocaleString(language);
  const parts = [t('job_done_of', { n: job.done.toLocaleString(language), total })];
  if (job.aside) parts.push(t('job_aside', { n: job.aside }));
  const [read, written] = job.tokens;
  if (written) parts.push(t('job_tokens', { n: (read + written).toLocaleString(language) }));
  if (job.state === 'running' && job.left !== null) parts.push(t('job_left', { time: timeText(job.left) }));
  return parts.join(' · ');
};

const wishButton = (job, wish) => {
  const button = make('button', '', t('wish_' + wish));
  button.type = 'button';
  button.dataset.wish = wish;
  button.dataset.job = job.id;
  button.disabled = isAsked(job);
  return button;
};

const openButton = (job, what, text) => {
  const button = make('button', 'ctx-quiet', text);
  button.type = 'button';
  button.dataset.show = what;
  button.dataset.job = job.id;
  button.setAttribute('aria-expanded', String(opened.get(job.id)?.what === what));
  return button;
};

const jobRow = (job) => {
  const row = make('li', 'ctx-job');
  const head = make('p', 'ctx-job-head');
  if (WRITES.includes(job.kind)) head.append(make('span', 'ctx-state', t('kind_' + job.kind)), ' ');
  head.append(make('b', '', job.url ? job.name : t('engine_' + job.name) || job.name), ' ', make('span', 'ctx-note', job.url));
  const bar = make('div', 'ctx-bar');
  const fill = make('i', '');
  fill.style.width = job.total ? `${(100 * job.done) / job.total}%` : '0';
  bar.append(fill);
  const state = make('p', 'ctx-job-state');
  state.append(make('span', '', stateText(job)), make('span', 'ctx-note', figuresText(job)));
  row.append(head, bar, state);
  if (job.waiting) row.append(make('p', 'ctx-note ctx-job-trouble', t('job_waiting', { why: job.waiting })));
  if (job.error) row.append(make('p', 'ctx-note ctx-job-trouble', job.detail || job.error));
  const actions = make('div', 'ctx-row');
  actions.append(...WISHES[job.state].map((wish) => wishButton(job, wish)));
  if (job.aside) actions.append(openButton(job, 'aside', t('show_aside', { n: job.aside })));
  if (WRITES.includes(job.kind) && job.done) actions.append(openButton(job, 'came', t('show_came')));
  actions.append(openButton(job, 'log', t('show_log')));
  row.append(actions);
  const more = opened.get(job.id);
  if (more?.what === 'log') row.append(make('pre', 'ctx-log', more.text));
  else if (more?.what === 'came') row.append(cameBox(job, more));
  else if (more) row.append(asideList(job, more.requests));
  return row;
};

const asideList = (job, requests) => {
  const rows = make('ol', 'ctx-aside');
  rows.append(
    ...requests.map((request) => {
      const row = make('li', '');
      const asked = make('p', '', request.context);
      asked.lang = 'en';
      row.append(make('b', '', request.target), asked, make('p', 'ctx-note', request.reason));
      row.append(...request.answers.map((text) => make('pre', 'ctx-log', text)));
      return row;
    }),
  );
  if (['done', 'stopped', 'failed', 'interrupted'].includes(job.state)) rows.append(wishButton(job, 'ask_again'));
  return rows;
};

// Painted anew every second or two: whoever walks here with the keyboard stays where they are.
const paint = () => {
  one('.ctx-no-jobs').hidden = shown.length > 0;
  const held = list.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  list.replaceChildren(...shown.map(jobRow));
  if (!held) return;
  const same = (button) => Object.entries(held).every(([name, value]) => button.dataset[name] === value);
  [...list.querySelectorAll('button')].find(same)?.focus({ preventScroll: true });
};

let looking = 0;
const look = async () => {
  clearTimeout(looking);
  if (!isShown() || props.limits.hosted) return;
  const reply = await ask('jobs');
  if (!reply.error) {
    const before = JSON.stringify(shown);
    shown = reply.jobs;
    await freshenLogs();
    if (JSON.stringify(shown) !== before || opened.size) paint();
    else one('.ctx-no-jobs').hidden = shown.length > 0;
  }
  const busy = shown.some((job) => ['queued', 'running', 'paused'].includes(job.state));
  looking = setTimeout(look, busy ? 1500 : 8000);
};

const freshenLogs = async () => {
  for (const [id, more] of opened) {
    if (more.what !== 'log') continue;
    const reply = await ask('tail', { id });
    if (!reply.error) more.text = reply.text;
  }
};

const toggle = async (id, what) => {
  if (opened.get(id)?.what === what) {
    opened.delete(id);
    return paint();
  }
  const asks = { log: () => ask('tail', { id }), came: () => askCame(id), aside: () => ask('aside', { id, after: 0 }) };
  const reply = await asks[what]();
  if (reply.error) return toast(teacherError(reply));
  opened.set(id, { what, ...reply });
  paint();
};

const teacherError = (reply) => (reply.detail ? `${errorText(reply)} ${reply.detail}` : errorText(reply));

list.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const id = Number(button.dataset.job);
  if (button.dataset.came === 'review') {
    return window.dispatchEvent(new CustomEvent('ctx-review', { detail: { filter: { import: opened.get(id).import } } }));
  }
  if (button.dataset.came) {
    const reply = await askCame(id, opened.get(id));
    if (reply.error) return toast(teacherError(reply));
    opened.set(id, { what: 'came', ...reply });
    return paint();
  }
  if (button.dataset.show) return toggle(id, button.dataset.show);
  const reply = await ask('wish', { id, wish: button.dataset.wish });
  if (reply.error) toast(teacherError(reply));
  look();
});

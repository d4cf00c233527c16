// The dialog that gives readers a model: what it is compared with, what stands against it, and a
// reason only where one is needed. The comparison it lacks can be started from it.

const AGAIN = 2000; // ms between looks at a comparison

const differenceRow = (one) => {
  const row = make('tr', '');
  row.dataset.figure = one.figure;
  const cells = [scoreText(one.figure, one.present), scoreText(one.figure, one.new), differenceText(one)].map((text) => make('td', '', text));
  if (one.worse || one.better) cells[2].className = one.worse ? 'ctx-worse' : 'ctx-better';
  row.append(make('th', '', figureName(one.figure)), ...cells);
  return row;
};

const comparedTable = (compared) => {
  const box = make('div', 'ctx-compared');
  const table = make('table', '');
  const head = make('tr', '');
  head.append(make('th', ''), ...['promote_present', 'promote_new', 'promote_difference'].map((key) => make('th', '', t(key))));
  table.append(head, ...compared.differences.map(differenceRow));
  const [decides] = compared.differences;
  const verdict = compared.worse ? 'promote_worse' : decides.better ? 'promote_better' : 'promote_same';
  const caption = t('promote_compared', { n: whole(compared.rows), dataset: compared.dataset });
  const told = make('p', compared.worse ? 'ctx-worse' : 'ctx-note', t(verdict) + ' ');
  told.append(goTo(t('promote_rows'), '#compare/split/' + compared.job));
  box.append(make('h3', '', caption), table, told);
  return box;
};

const comparingText = (job) => {
  if (job.state === 'queued') return t('promote_queued', { n: job.place });
  if (job.state === 'failed' || job.state === 'interrupted') return t('promote_stuck', { detail: job.detail });
  return job.total ? t('promote_comparing', { n: whole(job.done), total: whole(job.total) }) : t('promote_preparing');
};

const isOnItsWay = (job) => Boolean(job) && !['failed', 'interrupted'].includes(job.state);

const makeDialog = () => {
  const dialog = make('dialog', 'ctx-help ctx-ask-first ctx-promote');
  const parts = {
    title: make('h2', ''),
    how: make('p', 'ctx-promote-how'),
    against: make('ul', 'ctx-no-go ctx-against'),
    compared: make('div', ''),
    comparing: make('p', 'ctx-note ctx-comparing'),
    label: make('label', 'ctx-reason'),
    reason: make('textarea', ''),
    trouble: make('p', 'ctx-worse'),
    row: make('form', 'ctx-row'),
  };
  parts.comparing.setAttribute('role', 'status');
  parts.trouble.setAttribute('role', 'alert');
  parts.reason.rows = 2;
  parts.reason.maxLength = props.limits.reason;
  parts.reason.placeholder = t('promote_reason_hint');
  parts.label.append(make('span', '', t('promote_reason')), parts.reason);
  parts.yes = make('button', 'ctx-primary', t('promote_yes'));
  parts.compare = button(t('promote_compare'), 'compare_now');
  parts.no = button(t('promote_no'), 'no', 'ctx-quiet');
  parts.row.append(parts.yes, parts.compare, parts.no);
  dialog.append(...['title', 'how', 'against', 'compared', 'comparing', 'label', 'trouble', 'row'].map((name) => parts[name]));
  return { dialog, ...parts };
};

const paintDialog = (parts, told) => {
  const titles = { title: titleOf(told.model) };
  parts.title.textContent = t('promote_title', titles);
  parts.dialog.setAttribute('aria-label', parts.title.textContent);
  parts.how.textContent = t('promote_how', { title: titleOf(told.present) });
  const { against, comparing } = told;
  parts.against.hidden = !against.length;
  const texts = against.map((what) => {
    const why = what === 'not_fit' && told.fitReason ? t('reason_' + told.fitReason) || told.fitReason : '';
    return [t('against_' + what), why].filter(Boolean).join(' ');
  });
  parts.against.replaceChildren(...texts.map((text) => make('li', '', text)));
  parts.compared.replaceChildren(...told.compared.slice(0, 2).map(comparedTable));
  parts.comparing.textContent = comparing ? comparingText(comparing) : '';
  parts.compare.hidden = !against.includes('not_compared') || isOnItsWay(comparing);
  parts.label.hidden = !against.length;
  showYes(parts, told);
};

const showYes = (parts, told) => {
  parts.yes.disabled = Boolean(told.against.length) && !parts.reason.value.trim();
};

// Asks in a dialog; the promotion that was made, or null.
const promote = async (name) => {
  let told = await ask('weigh', { name });
  if (told.error) return toast(errorText(told)), null;
  const parts = makeDialog();
  const { dialog } = parts;
  let made = null;
  let timer = 0;

  const follow = async () => {
    clearTimeout(timer);
    if (!dialog.open || !isOnItsWay(told.comparing)) return;
    timer = setTimeout(async () => {
      const reply = await ask('weigh', { name });
      if (!dialog.open) return;
      if (!reply.error) take(reply);
      follow();
    }, AGAIN);
  };
  const take = (reply) => {
    told = { ...told, ...reply };
    paintDialog(parts, told);
  };
  const send = async () => {
    parts.yes.disabled = true;
    const reply = await ask('promote', { name, reason: parts.label.hidden ? '' : parts.reason.value });
    if (reply.promoted) {
      made = reply.promoted;
      return dialog.close();
    }
    parts.trouble.textContent = errorText(reply);
    if (reply.against) take(reply);
    else showYes(parts, told);
  };
  const compareNow = async () => {
    parts.compare.disabled = true;
    const reply = await ask('evaluate', { name });
    parts.compare.disabled = false;
    if (reply.error) parts.trouble.textContent = errorText(reply);
    else take(reply);
    follow();
  };

  parts.row.addEventListener('submit', (event) => {
    event.preventDefault();
    send();
  });
  parts.compare.addEventListener('click', compareNow);
  parts.compared.addEventListener('click', (event) => event.target.closest('a') && dialog.close());
  parts.no.addEventListener('click', () => dialog.close());
  parts.reason.addEventListener('input', () => showYes(parts, told));
  root.append(dialog);
  paintDialog(parts, told);
  dialog.showModal();
  follow();
  return new Promise((done) => {
    dialog.addEventListener('close', () => {
      clearTimeout(timer);
      dialog.remove();
      done(made);
    });
  });
};

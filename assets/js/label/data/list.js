// The frozen datasets: what each is, and its download in every form.

const setList = one('.ctx-sets > ol');
const told = new Map(); // what was said last below a dataset, by its key
let sets = null;

const loadSets = async () => {
  const reply = await ask('datasets');
  if (reply.error) return toast(errorText(reply));
  sets = reply.datasets;
  paintSets();
};

const paintSets = () => {
  setList.replaceChildren(...(sets ?? []).map(setRow));
  one('.ctx-sets .ctx-none').hidden = sets === null || sets.length > 0;
};

// Sets of both tasks stand in one list.
const keyOf = ({ task, id }) => `${task}-${id}`;

const sentencesText = ({ teacher, synthetic }) =>
  [t('set_of_sentences'), teacher, synthetic ? t('set_synthetic', { n: whole(synthetic) }) : ''].filter(Boolean).join(', ');

const setRow = (found) => {
  const row = make('li', 'ctx-set');
  row.dataset.set = keyOf(found);
  const when = new Date(found.when).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  const whose = found.task === 'translation' ? sentencesText(found) : t(found.acceptedOnly ? 'only_accepted' : 'also_proposals');
  const about = [pairName(found.pair), when, found.who, whose, ...chosenTexts(found.chosen)].filter(Boolean).join(' · ');
  row.append(make('h3', 'ctx-set-name', found.name), make('p', 'ctx-note', about));
  if (found.about) row.append(make('p', 'ctx-set-about', found.about));
  row.append(make('p', 'ctx-set-rows', t(found.rows === 1 ? 'set_rows_one' : 'set_rows', { n: whole(found.rows) })));
  row.append(...partsOf(['train', 'dev', 'test'].map((split) => [split, t('split_' + split), found.splits[split]])));
  row.append(hashLine(found));
  const left = Object.entries(found.leftOut);
  if (left.length) row.append(make('p', 'ctx-note', `${t('was_left_out')} ${reasonsText(left)}`));
  row.append(downloads(found), toldLine(keyOf(found)));
  if (props.limits.push && found.task === 'sense') row.append(pushForm());
  return row;
};

// The filter's fields as the store names them, in words.
const chosenTexts = (chosen) => {
  const texts = {
    status: (value) => t('status_' + value),
    who: (value) => `${t('filter_who')}: ${value}`,
    word_class: className,
    shape: (value) => t('phrase_' + value),
    corrected: () => t('filter_corrected'),
    differs: () => t('filter_differs'),
    reported: () => t('filter_reported'),
    import_id: (value) => t('filter_import', { n: value }),
    text: (value) => `“${value}”`,
  };
  return Object.entries(chosen).map(([name, value]) => texts[name]?.(value) ?? '');
};

const reasonText = (reason) => t('broken_' + reason) || t('rule_' + reason) || reason;
const reasonsText = (counts) => counts.map(([reason, n]) => `${whole(n)} × ${reasonText(reason)}`).join(' ');

const hashLine = (found) => {
  const line = make('p', 'ctx-hash ctx-note', 'SHA-256 ');
  const copy = make('button', 'ctx-bare', t('copy'));
  copy.type = 'button';
  copy.dataset.do = 'copy_hash';
  copy.setAttribute('aria-label', t('copy_hash'));
  const short = make('code', '', `${found.hash.slice(0, 12)}…`);
  short.title = found.hash;
  line.append(short, ' ', copy);
  return line;
};

const downloads = (found) => {
  const bar = make('div', 'ctx-row ctx-downloads');
  bar.append(make('span', 'ctx-note', t('download_as')));
  const forms = found.task === 'translation' ? ['flat'] : props.limits.forms;
  for (const form of forms) {
    const button = make('button', '', t('as_' + form));
    button.type = 'button';
    button.dataset.do = 'export';
    button.dataset.form = form;
    if (found.task === 'sense') button.title = t('as_' + form + '_how');
    bar.append(button);
  }
  return bar;
};

const toldLine = (key) => {
  const line = make('p', 'ctx-told ctx-note', told.get(key) ?? '');
  line.setAttribute('role', 'status');
  return line;
};

const tellOf = (key, text) => {
  told.set(key, text);
  const line = setList.querySelector(`[data-set="${key}"] .ctx-told`);
  if (line) line.textContent = text;
};

const setOf = (pressed) => sets.find((found) => keyOf(found) === pressed.closest('[data-set]').dataset.set);

const copyHash = async (pressed) => toast(t((await copyText(setOf(pressed).hash)) ? 'copied' : 'copy_failed'));

const exportSet = async (pressed) => {
  const { id, task } = setOf(pressed);
  const key = keyOf({ id, task });
  const { form } = pressed.dataset;
  const buttons = [...pressed.parentElement.querySelectorAll('button')];
  buttons.forEach((button) => (button.disabled = true));
  tellOf(key, t('at_work'));
  const reply = await finish(await ask('export', { id, task, form }), (far) => tellOf(key, farText(far)));
  buttons.forEach((button) => (button.disabled = false));
  if (reply.error) return tellOf(key, errorText(reply));
  fetchFile(reply.file);
  tellOf(key, wroteText(form, reply));
};

// What was written, and what was left out: an export says both.
const wroteText = (form, { told: counts, bytes }) => {
  const parts = [t('wrote', { n: whole(counts.written), form: t('as_' + form), size: sizeText(bytes) })];
  if (counts.verbatim) parts.push(t('wrote_verbatim', { n: whole(counts.verbatim) }));
  const left = Object.entries(counts).filter(([name, n]) => name.startsWith('left_out_') && n);
  parts.push(left.length ? `${t('was_left_out')} ${reasonsText(left.map(([name, n]) => [name.slice(9), n]))}` : t('nothing_left_out'));
  return parts.join(' ');
};

const pushForm = () => {
  const form = make('form', 'ctx-row ctx-push');
  const field = make('input', '');
  field.name = 'repo';
  field.placeholder = t('push_where');
  field.setAttribute('aria-label', t('push_where'));
  field.spellcheck = false;
  const button = make('button', '', t('push'));
  form.append(field, button);
  return form;
};

setList.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { id, task } = setOf(event.target);
  const key = keyOf({ id, task });
  const repo = event.target.elements.repo.value.trim();
  if (!repo) return;
  tellOf(key, t('at_work'));
  const reply = await finish(await ask('push', { id, repo }), () => {});
  tellOf(key, reply.error ? errorText(reply) : t('pushed', { address: reply.address }));
});

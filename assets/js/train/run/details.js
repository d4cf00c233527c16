// What a run is made of and came to: recipe, data, checkpoints, command, scores, report.

let details = null;
let verified = {}; // checkpoint → whether it is what was written
const VERIFIED_AT_ONCE = 300e6; // bytes that are read without being asked

const valueText = (name, value) => {
  if (value === true) return '✓';
  if (value === false) return '–';
  if (typeof value === 'number') return shortText(value);
  return t(`choice_${name}_${value}`) || value || t('choice_none');
};

const startText = (start) => {
  if (start.startsWith('run:')) return t('run_title', { id: start.slice(4) });
  return t('start_' + start) || start;
};

const term = (name, text) => {
  const box = make('div', '');
  box.append(make('dt', '', name), make('dd', '', text));
  return box;
};

const paintRecipe = () => {
  const { recipe } = details;
  const lines = recipe.fields.map((field) => [field, term(fieldName(field.name), valueText(field.name, field.value))]);
  const changed = lines.filter(([field]) => field.changed && field.name !== 'name').map(([, line]) => line);
  const begun = ['train', 'finetune'].includes(run.kind) ? [term(t('new_start_from'), startText(recipe.start))] : [];
  one('.ctx-recipe').replaceChildren(...(run.pair ? [term(t('pair'), pairName(run.pair))] : []), ...begun, ...changed);
  one('.ctx-recipe-all').replaceChildren(...lines.map(([, line]) => line.cloneNode(true)));
};

const paintData = () => {
  one('.ctx-run-data').replaceChildren(
    ...details.data.map((source) => {
      const line = make('li', '');
      const about = [
        source.rows === null ? '' : t('data_rows', { n: whole(source.rows) }),
        source.refused ? t('data_refused', { n: whole(source.refused) }) : '',
        source.older ? t('data_older') : '',
      ];
      line.append(make('b', '', source.name), ' ', make('span', 'ctx-note', about.filter(Boolean).join(', ')));
      if (source.hash) {
        const hash = make('p', 'ctx-hash ctx-note', 'SHA-256 ');
        const short = make('code', '', `${source.hash.slice(0, 12)}…`);
        short.title = source.hash;
        const copy = button(t('copy'), 'copy_hash', 'ctx-bare');
        copy.dataset.hash = source.hash;
        copy.setAttribute('aria-label', t('copy_full_hash'));
        hash.append(short, ' ', copy);
        line.append(hash);
      }
      return line;
    }),
  );
};

const paintCheckpoints = () => {
  const { checkpoints } = details;
  const list = one('.ctx-checkpoints');
  if (!checkpoints.length) return list.replaceChildren(make('li', 'ctx-note', t('checkpoints_none')));
  list.replaceChildren(
    ...checkpoints.map((found) => {
      const line = make('li', '');
      line.dataset.checkpoint = found.name;
      const at = found.step === null ? '' : t('checkpoint_at', { n: whole(found.step), size: sizeText(found.bytes), when: whenText(found.when) });
      line.append(make('b', '', t('checkpoint_' + found.name)), ' ', make('span', 'ctx-note', at), ' ');
      if (found.name in verified) {
        const good = verified[found.name];
        line.append(make('span', good ? 'ctx-whole' : 'ctx-damaged', t(good ? 'checkpoint_whole' : 'checkpoint_broken')));
      }
      return line;
    }),
  );
  if (checkpoints.some((found) => !(found.name in verified))) list.append(button(t('do_verify'), 'verify'));
};

const verify = async () => {
  const { id } = run;
  one('[data-do=verify]')?.replaceWith(make('li', 'ctx-note', t('at_work')));
  const reply = await finish(await ask('verify', { id }));
  if (id !== run?.id) return;
  if (reply.error) return toast(errorWithDetail(reply));
  verified = reply.whole;
  paintCheckpoints();
};

const scoreRow = ([name, found]) => {
  const row = make('tr', '');
  row.dataset.figure = name;
  const [low, high] = found.interval ?? [];
  const interval = typeof low === 'number' ? `${low.toFixed(3)} – ${high.toFixed(3)}` : '';
  row.append(make('th', '', figureName(name)), make('td', '', found.value.toFixed(3)), make('td', 'ctx-note', interval));
  return row;
};

const scoreTable = ([name, found]) => {
  const box = make('div', 'ctx-score');
  box.append(make('h3', '', found.n === undefined ? name : t('score_rows', { name, n: whole(found.n) })));
  const table = make('table', '');
  const head = make('tr', '');
  head.append(...['score_figure', 'score_value', 'score_interval'].map((key) => make('th', '', t(key))));
  const figures = Object.entries(found).filter(([, one]) => typeof one?.value === 'number');
  table.append(head, ...figures.map(scoreRow));
  box.append(table);
  return box;
};

const paintScores = () => {
  const carded = details?.scores ?? {}; // the card says more than the result, once it is there
  const sets = Object.entries(Object.keys(carded).length ? carded : told.result?.scores ?? {});
  one('.ctx-run-scores').hidden = !sets.length;
  one('.ctx-run-scores .ctx-note').hidden = run.kind !== 'train'; // a tokenizer's are of its own texts
  one('.ctx-scores').replaceChildren(...sets.map(scoreTable));
};

const paintDetails = () => {
  if (!details) return;
  paintRecipe();
  paintData();
  paintCheckpoints();
  paintScores();
  paintForms();
  one('.ctx-command code').textContent = details.command;
};

const loadDetails = async () => {
  const { id } = run;
  const reply = await ask('details', { id });
  if (reply.error || id !== run?.id) return;
  const same = JSON.stringify(reply.checkpoints) === JSON.stringify(details?.checkpoints);
  details = reply;
  if (!same) verified = {};
  paintDetails();
  const bytes = details.checkpoints.reduce((sum, found) => sum + found.bytes, 0);
  if (!same && !isWorking(run) && bytes && bytes < VERIFIED_AT_ONCE) verify();
};

// A text as a file of the browser's own: opened in a new tab, or kept.
const report = async (form, opens) => {
  const page = opens ? window.open('', '_blank') : null; // at once, or the browser blocks it
  const reply = await finish(await ask('report', { id: run.id, form }));
  if (reply.error) {
    page?.close();
    return toast(errorWithDetail(reply));
  }
  giveFile(reply, form, page);
};

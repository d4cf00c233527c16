// What a run is made of: dataset, preset, what it goes on from. The form is kept in the browser.

let found = null; // by task: datasets, finished runs, whether readers have an adapter
let datasets = null;
let presets = [];
let runs = [];
let form = { task: 'sense', dataset: '', preset: '', start: 'present', values: {} };
let showAll = false;
let hasPresent = true; // readers have an adapter
let isTrained = true; // words of the pair can be learnt here
const SHOWN = 6; // datasets, until all are wanted

const presetNow = () => presets.find((preset) => preset.name === form.preset);

const presetsNow = () => presets.filter((preset) => preset.tasks.includes(form.task));

// The values that a preset stands for.
const presetValues = (preset) =>
  Object.fromEntries(recipeFields.map((field) => [field.name, preset?.values[field.name] ?? field.usual]));

const keepForm = () => remember('train.form', JSON.stringify(form));

const recallForm = () => {
  try {
    const kept = JSON.parse(recall('train.form')) ?? {};
    for (const name of ['task', 'dataset', 'preset', 'start']) if (typeof kept[name] === 'string') form[name] = kept[name];
    if (typeof kept.values === 'object' && kept.values) form.values = kept.values;
  } catch {
    // Nothing is remembered.
  }
};

const TASKS = ['sense', 'translation'];

// What there is for the chosen task. What was chosen and is not there is let go.
const takeTask = (task) => {
  form.task = TASKS.includes(task) ? task : TASKS[0];
  const hadPresent = hasPresent;
  ({ datasets, runs, present: hasPresent, trained: isTrained } = found[form.task]);
  if (!datasets.some((one) => one.name === form.dataset)) form.dataset = datasets.length === 1 ? datasets[0].name : '';
  if (form.start === 'present' && !hasPresent) form.start = '';
  if (form.start === '' && hasPresent && !hadPresent) form.start = presetNow()?.start ?? '';
  if (form.start.startsWith('run:') && !runs.some((run) => `run:${run.id}` === form.start)) form.start = '';
  const usual = /^[a-z]{2,3}-[a-z]{2,3}-(sense|translation)$/;
  if (usual.test(form.values.name ?? 'en-zh-sense')) form.values.name = `${workPair()}-${form.task}`;
  const preset = presetNow();
  if (preset && !presetsNow().includes(preset)) {
    const [first] = presetsNow();
    form.preset = first.name;
    form.start = first.start === 'present' && !hasPresent ? '' : first.start;
    form.values = { ...presetValues(first), name: form.values.name };
  }
};

const paintTask = () => {
  root.querySelectorAll('[name=task]').forEach((radio) => (radio.checked = radio.value === form.task));
};

const datasetTile = (found) => {
  const box = tile('dataset', found.name, found.name === form.dataset);
  const text = make('span', 'ctx-tile-text');
  const { train, dev, test } = found.splits;
  text.append(
    make('b', '', found.name),
    make('span', '', t(found.rows === 1 ? 'new_rows_one' : 'new_rows', { n: whole(found.rows) })),
    make('span', 'ctx-note', t('new_splits', { train: whole(train), dev: whole(dev), test: whole(test) })),
    make('span', 'ctx-note', whenText(found.when)),
  );
  if (found.about) box.title = found.about;
  box.append(text);
  return box;
};

const paintDatasets = () => {
  if (!datasets) return;
  const none = datasets.length === 0;
  one('.ctx-new-none').hidden = !none;
  one('.ctx-new-untrained').hidden = isTrained;
  one('.ctx-new-data-how').hidden = none;
  const chosen = datasets.findIndex((found) => found.name === form.dataset);
  const all = showAll || datasets.length <= SHOWN || chosen >= SHOWN;
  one('.ctx-data-tiles').replaceChildren(...(all ? datasets : datasets.slice(0, SHOWN)).map(datasetTile));
  const more = one('[data-do=all]');
  more.hidden = all;
  more.textContent = t('new_all_data', { n: whole(datasets.length) });
};

const paintPresets = () => {
  one('.ctx-preset-tiles').replaceChildren(
    ...presetsNow().map((preset) => {
      const box = tile('preset', preset.name, preset.name === form.preset);
      const text = make('span', 'ctx-tile-text');
      text.append(make('b', '', preset.title[language]), make('span', 'ctx-note', preset.for[language]));
      box.append(text);
      return box;
    }),
  );
};

const startBox = () => {
  const box = make('div', 'ctx-field');
  box.dataset.field = START;
  const label = make('label', '');
  const select = make('select', '');
  select.name = START;
  const values = [...(hasPresent ? ['present'] : []), '', ...runs.map((run) => `run:${run.id}`)];
  if (!values.includes(form.start)) values.push(form.start);
  select.append(...values.map((value) => optionOf(value, startText(value))));
  select.value = form.start;
  const wrong = make('p', 'ctx-field-wrong');
  label.append(make('span', '', t('new_start_from')), select);
  box.append(label, wrong, make('p', 'ctx-note ctx-field-help', t('new_start_help')));
  return box;
};

const startText = (value) => {
  if (!value.startsWith('run:')) return t('start_' + value);
  const run = runs.find((found) => `run:${found.id}` === value);
  return run ? t('start_run', run) : t('start_gone');
};

// Which settings are not the preset's; the name is everybody's own.
const changedFields = () => {
  const preset = presetNow();
  if (!preset) return [];
  const usual = presetValues(preset);
  if (form.task === 'translation') usual.style = 'short';
  const changed = fieldsNow()
    .filter((field) => field.name !== 'name' && valueOf(field) !== usual[field.name])
    .map((field) => field.name);
  const start = preset.start === 'present' && !hasPresent ? '' : preset.start;
  return form.start === start ? changed : [START, ...changed];
};

const paintChanged = () => {
  const changed = changedFields();
  const line = one('.ctx-new-changed');
  line.hidden = !changed.length;
  const names = changed.map((name) => (name === START ? t('new_start_from') : fieldName(name)));
  const preset = presetNow()?.title[language];
  line.querySelector('span').textContent = changed.length ? t('new_changed', { preset, fields: names.join(', ') }) : '';
  const inside = changed.filter((name) => recipeFields.some((field) => field.name === name && !field.basic));
  one('.ctx-more summary').textContent = inside.length ? t('new_more_changed', { n: inside.length }) : t('new_more');
};

const takePreset = () => {
  const preset = presetNow();
  if (!preset) return;
  form.start = preset.start === 'present' && !hasPresent ? '' : preset.start;
  form.values = { ...presetValues(preset), name: controlFor('name')?.value ?? form.values.name };
  buildFields(form.values);
  paintChanged();
};

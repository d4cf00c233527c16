// What a run from nothing is made of: its kind, what it takes, what it begins with. The form is kept
// in the browser.

const KINDS = ['corpus', 'tokenizer', 'pretrain', 'finetune'];
const RANDOM = 'random';

let found = null; // sources by languages; data, texts, tokenizers and starts of the pair
let allFields = [];
let sizes = [];
let form = { task: KINDS[0], languages: '', sources: [], hub: '', data: '', texts: [], start: RANDOM, tokenizer: '', size: '', values: {}, corpus: {} };

const keepForm = () => remember('train.scratch', JSON.stringify(form));

const recallForm = () => {
  try {
    const kept = JSON.parse(recall('train.scratch')) ?? {};
    for (const [name, value] of Object.entries(form)) {
      if (typeof kept[name] === typeof value && Array.isArray(kept[name]) === Array.isArray(value)) form[name] = kept[name];
    }
  } catch {
    // Nothing is remembered.
  }
};

// A corpus has fields that are called like a model's: their values are kept apart.
const keptIn = () => (form.task === 'corpus' ? 'corpus' : 'values');
const keepValues = () => {
  form[keptIn()] = { ...form[keptIn()], ...readValues() };
};
const goesOn = () => form.task === 'finetune' && form.start !== RANDOM;
const dataNow = () => found.data.find((one) => one.name === form.data);
const sourceKey = (source) => source.names.join(' ');

// What was chosen and is not there is let go.
const takeKind = (kind) => {
  form.task = KINDS.includes(kind) ? kind : KINDS[0];
  const languages = Object.keys(found.sources);
  if (!languages.includes(form.languages)) [form.languages] = languages;
  const there = found.sources[form.languages].map(sourceKey);
  form.sources = form.sources.filter((key) => there.includes(key));
  if (!dataNow()) form.data = found.data.length === 1 ? found.data[0].name : '';
  form.texts = form.texts.filter((name) => found.texts.some((one) => one.name === name));
  if (!found.starts.some((one) => one.name === form.start)) form.start = RANDOM;
  if (!found.tokenizers.some((one) => one.name === form.tokenizer)) form.tokenizer = '';
  // The shape of what it goes on from is its own.
  recipeFields = allFields.filter((field) => !(goesOn() && field.name.startsWith('model.')));
};

const checkTile = (name, value, checked, ...texts) => {
  const box = tile(name, value, checked);
  const text = make('span', 'ctx-tile-text');
  text.append(...texts.filter(Boolean));
  box.append(text);
  return box;
};

const note = (text) => (text ? make('span', 'ctx-note', text) : null);

const paintKinds = () => {
  one('.ctx-kind-tiles').replaceChildren(
    ...KINDS.map((kind) => checkTile('kind', kind, kind === form.task, make('b', '', t('kind_' + kind)), note(t(`kind_${kind}_how`)))),
  );
};

const languagesText = (languages) => (languages.includes('-') ? t('scratch_pairs', { pair: pairName(languages) }) : languageName(languages));

// A source in a few words: what it is called, and how much it holds.
const sourceTile = (source) => {
  const names = source.names.map((name) => name.replace(/^dataset:/, ''));
  const frozen = source.names[0].startsWith('dataset:');
  const about = frozen ? [t('scratch_frozen'), t('data_rows', { n: whole(source.rows) })] : [sizeText(source.bytes)];
  if (source.synthetic) about.push(t('set_synthetic', { n: whole(source.synthetic) }));
  const box = checkTile('source', sourceKey(source), form.sources.includes(sourceKey(source)), make('b', '', names.join(' + ')), note(about.join(' · ')));
  box.querySelector('input').type = 'checkbox';
  return box;
};

const paintSources = () => {
  const field = one('[name=languages]');
  field.replaceChildren(...Object.keys(found.sources).map((code) => optionOf(code, languagesText(code))));
  field.value = form.languages;
  const sources = found.sources[form.languages];
  one('.ctx-source-tiles').replaceChildren(...sources.map(sourceTile));
  one('.ctx-scratch-sources .ctx-none').hidden = sources.length > 0;
  one('[name=hub]').value = form.hub;
};

const splitsText = (splits) => {
  const { train = 0, dev = 0, test = 0 } = splits ?? {};
  return splits ? t('new_splits', { train: whole(train), dev: whole(dev), test: whole(test) }) : '';
};

const dataTile = (data) => {
  const [kind] = data.name.split(':');
  const title = kind === 'run' ? `${data.id} · ${data.title}` : data.title;
  return checkTile('data', data.name, data.name === form.data, make('b', '', title), note(t('scratch_from_' + kind)), note(splitsText(data.splits)));
};

const textTile = (data) => {
  const lines = t('data_rows', { n: whole(data.splits.train ?? 0) });
  const box = checkTile('text', data.name, form.texts.includes(data.name), make('b', '', `${data.id} · ${data.title}`), note(`${languageName(data.languages)} · ${lines}`));
  box.querySelector('input').type = 'checkbox';
  return box;
};

const paintData = () => {
  one('.ctx-data-tiles').replaceChildren(...found.data.map(dataTile));
  one('.ctx-scratch-data .ctx-none').hidden = found.data.length > 0;
  one('.ctx-text-tiles').replaceChildren(...found.texts.map(textTile));
  one('.ctx-scratch-texts').hidden = !found.texts.length || form.task === 'finetune';
};

const choiceBox = (name, value, options, help) => {
  const box = make('div', 'ctx-field');
  box.dataset.field = name;
  const label = make('label', '');
  const select = make('select', '');
  select.name = name;
  select.append(...options.map(([key, text]) => optionOf(key, text)));
  select.value = value;
  label.append(make('span', '', t('scratch_' + name)), select);
  box.append(label, make('p', 'ctx-field-wrong'), make('p', 'ctx-note ctx-field-help', help));
  return box;
};

const runsOf = (runs) => runs.map((run) => [run.name, t('start_run', { id: run.id, name: run.title })]);

// What stands before the fields: what a run begins with, and a model's size.
const startBox = () => {
  const boxes = document.createDocumentFragment();
  if (form.task === 'finetune') {
    boxes.append(choiceBox('start', form.start, [[RANDOM, t('scratch_random')], ...runsOf(found.starts)], t('scratch_start_how')));
  }
  if (form.task === 'pretrain' || (form.task === 'finetune' && !goesOn())) {
    boxes.append(choiceBox('tokenizer', form.tokenizer, [['', t('scratch_tokenizer_own')], ...runsOf(found.tokenizers)], t('scratch_tokenizer_how')));
    const named = sizes.map((size) => [size.name, t('scratch_parameters', { n: (size.parameters / 1e6).toFixed(1) })]);
    boxes.append(choiceBox('size', form.size, [['', t('new_own')], ...named], t('scratch_size_how')));
  }
  return boxes;
};

const takeSize = (name) => {
  form.size = name;
  Object.assign(form.values, sizes.find((size) => size.name === name)?.values ?? {});
};

const question = () => ({
  kind: form.task, pair: workPair(), languages: form.languages, hub: form.hub.trim(), data: form.data,
  sources: found.sources[form.languages].filter((one) => form.sources.includes(sourceKey(one))).map((one) => one.names),
  texts: form.task === 'finetune' ? [] : form.texts, start: form.start, tokenizer: goesOn() ? '' : form.tokenizer,
  values: readValues(),
});

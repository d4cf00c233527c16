// A model, which forms of it, the rows that judge them, Start. The form is kept in the browser.

const HOWS = ['forms', 'steps', 'ratio'];
const formElement = one('.ctx-new-form');
const goLine = one('.ctx-go p');
let there = null; // models, datasets and forms of the pair
let busy = false;
let form = { model: '', dataset: '', how: HOWS[0], ways: null, rows: props.limits.rows, ratio: 0.35 };

const keepForm = () => remember('train.quantise', JSON.stringify(form));

const recallForm = () => {
  try {
    form = { ...form, ...JSON.parse(recall('train.quantise')) };
  } catch {
    // Nothing is remembered.
  }
};

const namesOf = (list) => list.map((one) => one.name);
const kept = (name, list) => (namesOf(list).includes(name) ? name : (list[0]?.name ?? ''));

// What was chosen and is not there is let go.
const takeForm = () => {
  form.model = kept(form.model, there.models);
  form.dataset = kept(form.dataset, there.datasets);
  if (!HOWS.includes(form.how)) [form.how] = HOWS;
  const usual = namesOf(there.forms.filter((one) => one.usual));
  const ways = Array.isArray(form.ways) ? form.ways.filter((way) => namesOf(there.forms).includes(way)) : usual;
  form.ways = ways.length ? ways : usual;
  form.ratio ||= 0.35;
};

const optionOf = (value, text) => {
  const option = make('option', '', text);
  option.value = value;
  return option;
};

const fill = (name, options) => {
  const field = one(`select[name=${name}]`);
  field.replaceChildren(...options);
  field.value = form[name];
};

const titled = ({ name, title }) => (name.includes(':') ? `${modelText(name)} · ${title}` : modelText(name));

const paintHows = () => {
  one('.ctx-how-tiles').replaceChildren(
    ...HOWS.map((how) => {
      const box = tile('how', how, how === form.how);
      const text = make('span', 'ctx-tile-text');
      text.append(make('b', '', t('quantise_' + how)), make('span', 'ctx-note', t(`quantise_${how}_told`)));
      box.append(text);
      return box;
    }),
  );
};

const wayBox = ({ name }) => {
  const label = make('label', '');
  const box = make('input', '');
  box.type = 'checkbox';
  box.name = 'way';
  box.value = name;
  box.checked = form.ways.includes(name);
  label.append(box, ' ', make('span', '', name));
  return label;
};

const isReady = () => Boolean(form.model && form.dataset && (form.how === 'steps' || form.ways.length));

const paintGo = () => {
  const count = form.how === 'steps' ? t('quantise_steps') : t('quantise_n_forms', { n: whole(form.ways.length) });
  goLine.textContent = isReady() ? count : t('quantise_choose');
  one('.ctx-go button').disabled = busy || !isReady();
};

const paint = () => {
  if (!there) return;
  root.dataset.how = form.how;
  fill('model', there.models.map((one) => optionOf(one.name, titled(one))));
  fill('dataset', there.datasets.map((one) => optionOf(one.name, `${one.name} · ${t('data_rows', { n: whole(one.rows) })}`)));
  for (const name of ['rows', 'ratio']) one(`[name=${name}]`).value = form[name];
  one('.ctx-quantise-none').hidden = Boolean(there.models.length && there.datasets.length);
  paintHows();
  one('.ctx-way-boxes').replaceChildren(...there.forms.map(wayBox));
  paintGo();
  root.dataset.state = 'shown';
};

const numberOf = (text) => (String(text).trim() ? Number(text) : NaN);

const showWrong = (fields) => {
  root.querySelectorAll('.ctx-field').forEach((box) => {
    const wrong = fields.includes(box.dataset.field);
    box.querySelector('.ctx-field-wrong').textContent = wrong ? t('bad_field') : '';
    box.querySelector('input, select').setAttribute('aria-invalid', String(wrong));
  });
  one('.ctx-field [aria-invalid=true]')?.focus();
};

const begin = async () => {
  if (busy || !isReady()) return;
  const [rows, ratio] = [numberOf(form.rows), numberOf(form.ratio)];
  busy = true;
  paintGo();
  goLine.textContent = t('new_starting');
  const reply = await ask('begin', { ...form, pair: workPair(), rows: Number.isNaN(rows) ? '' : rows, ratio: Number.isNaN(ratio) ? '' : ratio });
  busy = false;
  paintGo();
  if (reply.error === 'bad_fields') return showWrong(reply.fields);
  if (reply.error) return toast(errorWithDetail(reply));
  showWrong([]);
  location.hash = '#train/run/' + reply.run.id;
};

formElement.addEventListener('input', ({ target: { name, value } }) => {
  if (name === 'way') form.ways = [...root.querySelectorAll('[name=way]:checked')].map((box) => box.value);
  else form[name] = value;
  root.dataset.how = form.how;
  showWrong([]);
  keepForm();
  paintGo();
});

startsByButton(formElement);
formElement.addEventListener('submit', (event) => {
  event.preventDefault();
  begin();
});

const load = async () => {
  recallForm();
  const reply = await ask('choices', { pair: workPair() });
  if (reply.error) return toast(errorText(reply));
  there = reply;
  takeForm();
  paint();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  paint();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('quantise', () => {
  if (!props.limits.hosted) load();
});

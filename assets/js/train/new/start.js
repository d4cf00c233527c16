// Wires the form, and starts the run: a dataset, a preset, Start.

const formElement = one('.ctx-new-form');

const paintGo = () => {
  const ready = Boolean(form.dataset && form.preset);
  const preset = presetNow();
  goLine.textContent = ready
    ? t('new_ready', { dataset: form.dataset, preset: preset ? preset.title[language] : t('new_own') })
    : t('new_nothing');
  root.querySelectorAll('.ctx-go button').forEach((one) => (one.disabled = busy || !ready));
};

const begin = () =>
  alone(t('new_starting'), async () => {
    const reply = await ask('begin', question());
    if (reply.error) return showRefusal(reply);
    showWrong([]);
    location.hash = '#train/run/' + reply.run.id;
  });

formElement.addEventListener('submit', (event) => {
  event.preventDefault();
  if (form.dataset && form.preset) begin();
});

const onChange = (event) => {
  const { name, value } = event.target;
  forgetLooks();
  if (name === 'task') {
    form.values = { ...form.values, ...readValues() };
    takeTask(value);
    paint();
  } else if (name === 'dataset') form.dataset = value;
  else if (name === 'preset') {
    form.preset = value;
    takePreset();
  } else {
    if (name === START) form.start = value;
    clearWrong(event.target);
    form.values = { ...form.values, ...readValues() };
    paintChanged();
  }
  keepForm();
  paintGo();
};

formElement.addEventListener('input', onChange);
startsByButton(formElement);

const ACTIONS = {
  check,
  preview,
  back: () => {
    takePreset();
    keepForm();
    forgetLooks();
  },
  all: () => {
    showAll = true;
    paintDatasets();
  },
};

root.addEventListener('click', (event) => {
  const does = event.target.closest('[data-do]')?.dataset.do;
  if (does) ACTIONS[does]();
});

const paint = () => {
  if (!datasets) return;
  paintTask();
  buildFields(form.values);
  paintDatasets();
  paintPresets();
  paintChanged();
  paintGo();
  if (lastPlan) showPlan(lastPlan);
  root.dataset.state = 'shown';
};

const load = async () => {
  recallForm();
  const replies = await Promise.all([recipeFields.length ? null : ask('form'), ask('choices', { pair: workPair() })]);
  const [made, choices] = replies;
  const failed = replies.find((reply) => reply?.error);
  if (failed) return toast(errorText(failed));
  if (made) ({ fields: recipeFields, presets } = made);
  found = choices;
  if (!presetNow() && !form.preset) {
    form.preset = presets[0]?.name ?? '';
    form.start = presetNow()?.start ?? '';
    form.values = { ...presetValues(presetNow()), ...form.values };
  }
  takeTask(form.task);
  paint();
};

const showTexts = () => {
  fillTexts();
  if (datasets) form.values = { ...form.values, ...readValues() };
  paint();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('new', () => {
  if (!props.limits.hosted) load();
});

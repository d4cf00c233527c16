// Wires the form, and starts the run.

const formElement = one('.ctx-new-form');
const goLine = one('.ctx-go p');
let busy = false;

const isReady = () => (form.task === 'corpus' ? form.sources.length > 0 || Boolean(form.hub.trim()) : Boolean(form.data));

const paintGo = () => {
  const ready = isReady();
  goLine.textContent = ready ? t('kind_' + form.task) : t(form.task === 'corpus' ? 'scratch_choose_source' : 'scratch_choose_data');
  one('.ctx-go button').disabled = busy || !ready;
};

const showRefusal = (reply) => {
  if (reply.error !== 'bad_fields') return toast(errorWithDetail(reply));
  toast(t('bad_fields_told', { fields: reply.fields.map(fieldName).join(', ') }));
  showWrong(reply.fields);
};

const begin = async () => {
  if (busy || !isReady()) return;
  busy = true;
  paintGo();
  goLine.textContent = t('new_starting');
  const reply = await ask('begin', question());
  busy = false;
  paintGo();
  if (reply.error) return showRefusal(reply);
  showWrong([]);
  location.hash = '#train/run/' + reply.run.id;
};

const ticked = (name) => [...root.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value);

const CHANGES = {
  kind: (value) => takeKind(value),
  languages: (value) => {
    form.languages = value;
    takeKind(form.task);
  },
  source: () => {
    form.sources = ticked('source');
  },
  text: () => {
    form.texts = ticked('text');
  },
  data: (value) => {
    form.data = value;
    const { values } = dataNow();
    if (values) Object.assign(form.values, values, { name: form.values.name ?? values.name });
    if (values) form.size = '';
  },
  hub: (value) => {
    form.hub = value;
  },
  start: (value) => {
    form.start = value;
    takeKind(form.task);
  },
  tokenizer: (value) => {
    form.tokenizer = value;
  },
  size: takeSize,
};
const QUIET = ['source', 'text', 'hub', 'tokenizer']; // what they change is seen already

formElement.addEventListener('input', (event) => {
  const { name, value } = event.target;
  keepValues();
  if (name in CHANGES) {
    CHANGES[name](value);
    if (!QUIET.includes(name)) {
      paint();
      one(`[name="${name}"]:is(:checked, select)`)?.focus();
    }
  } else {
    clearWrong(event.target);
    if (name.startsWith('model.')) form.size = '';
  }
  keepForm();
  paintGo();
});

startsByButton(formElement);
formElement.addEventListener('submit', (event) => {
  event.preventDefault();
  begin();
});

const paint = () => {
  if (!found) return;
  root.dataset.kind = form.task;
  paintKinds();
  paintSources();
  paintData();
  buildFields(form[keptIn()]);
  paintGo();
  root.dataset.state = 'shown';
};

const load = async () => {
  recallForm();
  const [made, choices] = await Promise.all([allFields.length ? null : ask('form'), ask('choices', { pair: workPair() })]);
  const failed = [made, choices].find((reply) => reply?.error);
  if (failed) return toast(errorText(failed));
  if (made) {
    allFields = made.fields;
    sizes = made.sizes;
  }
  found = choices;
  takeKind(form.task);
  paint();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (found) keepValues();
  paint();
});

fillTexts();
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('scratch', () => {
  if (!props.limits.hosted) load();
});

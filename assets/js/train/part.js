// What all training views share: the names of a recipe's fields, a run's state in words.

const fieldName = (name) => t('recipe_' + name) || name.replaceAll('_', ' ');

const isWorking = (run) => ['queued', 'running', 'paused'].includes(run.state);

// A paused job still holds the wish to pause: that one is fulfilled.
const isAsked = (run) => Boolean(run.asked) && !(run.state === 'paused' && run.asked === 'pause');

const ASKED = { pause: 'run_pausing', resume: 'run_resuming', stop: 'run_stopping', cancel: 'run_cancelling' };

const shortState = (run) => {
  if (run.state === 'queued') return t('job_queued', { n: run.place });
  if (isAsked(run)) return t(ASKED[run.asked]);
  return t('job_' + run.state);
};

// A tile that holds a choice; it is one of several of this name.
const tile = (name, value, checked) => {
  const box = make('label', 'ctx-tile');
  const radio = make('input', '');
  radio.type = 'radio';
  radio.name = name;
  radio.value = value;
  radio.checked = checked;
  box.append(radio);
  return box;
};

// Enter in a field of this form starts nothing: too much depends on it.
const startsByButton = (form) =>
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches('.ctx-field input')) event.preventDefault();
  });

// What a run is called; one that makes a model smaller has only its model's name.
const modelText = (name) => {
  const [kind, id] = name.split(/:(.*)/s);
  return (id && kind === 'shipped' ? t('named_also', { title: id }) : t('named_' + kind, { id })).trim() || name;
};
const runName = (run) => (run.kind === 'quantise' ? modelText(run.name) : run.name);

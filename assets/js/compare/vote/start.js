// Where the ballots come from: an evaluation's rows or one's own sentences; wires the buttons.

const form = one('.ctx-vote-ask');
const { from: fromFields, evaluation: evaluationField, left: leftField, right: rightField } = form.elements;
const taskField = form.elements.task;
const textField = form.querySelector('textarea');
let offered = null; // models, evaluations

const isFromText = () => fromFields.value === 'text';

const loadStart = async () => {
  const task = taskField.value || recall('compare.task') || 'sense';
  const reply = await ask('choices', { pair: workPair(), task });
  if (reply.error) return toast(errorText(reply));
  fillTasks(taskField, reply.models, { also: reply.tasks });
  if (taskField.value !== task) return loadStart(); // the pair has nothing else
  offered = reply;
  standings = reply.standings;
  sitting.session = '';
  root.dataset.state = 'start';
  paintForm();
  paintStandings();
};

const evaluationOf = () => offered.evaluations.find((one) => String(one.id) === evaluationField.value);

const paintForm = () => {
  const { evaluations } = offered;
  const titles = new Map(offered.models.map((model) => [model.name, model]));
  const named = (name) => titles.get(name) ?? { name };
  const before = evaluationField.value;
  evaluationField.replaceChildren(
    ...evaluations.map((one) => {
      const text = `${one.models.map((name) => modelName(named(name))).join(' · ')} (${one.dataset}, ${t('split_' + one.split)})`;
      const option = make('option', '', text);
      option.value = one.id;
      option.selected = String(one.id) === before;
      return option;
    }),
  );
  one('.ctx-vote-evaluation').hidden = isFromText();
  one('.ctx-vote-evaluation label').hidden = !evaluations.length;
  one('.ctx-vote-none').hidden = evaluations.length > 0;
  one('.ctx-vote-ask .ctx-side-text').hidden = !isFromText();
  const alone = isFromText() && modelsFor(offered.models, taskField.value).length < 2;
  one('.ctx-alone').hidden = !alone;
  form.querySelector('[type=submit]').disabled = alone || (!isFromText() && !evaluations.length);
  markLanguages(form, workPair());
  paintTwo(named);
};

// Which two: of the models here, or of the evaluation's.
const paintTwo = (named) => {
  const models = isFromText() ? modelsFor(offered.models, taskField.value) : (evaluationOf()?.models ?? []).map(named);
  const chosen = isFromText() ? firstModels(models) : { left: models[0]?.name, right: models[1]?.name };
  fillModels(leftField, models, chosen.left);
  fillModels(rightField, models, chosen.right);
  one('.ctx-vote-ask .ctx-pickers').hidden = !isFromText() && models.length < 3;
};

const sitDown = async () => {
  const left = leftField.selectedIndex;
  const right = rightField.selectedIndex;
  if (left === right) return toast(t('error_same_model'));
  const pair = workPair();
  const far = one('.ctx-vote-far');
  far.textContent = isFromText() ? t('loading_models') : '';
  const first = isFromText()
    ? await ask('paste', { text: textField.value, pair, task: taskField.value, left: leftField.value, right: rightField.value })
    : await ask('sit_down', { id: Number(evaluationField.value), left, right });
  const reply = await finish(first);
  far.textContent = '';
  if (reply.error) return toast(errorWithDetail(reply));
  Object.assign(sitting, { session: reply.session, pair, count: reply.count, number: 0, given: 0, ballot: null, told: null });
  loadBallot();
};

const ACTIONS = { choose: (pressed) => vote(pressed.dataset.choice), reveal, again: loadStart };

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed) ACTIONS[pressed.dataset.do]?.(pressed);
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  sitDown();
});
form.addEventListener('change', (event) => {
  if (['from', 'evaluation'].includes(event.target.name)) paintForm();
  if (event.target === taskField) {
    remember('compare.task', taskField.value);
    loadStart();
  }
});

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (!offered) return;
  paintForm();
  paintBallot();
  if (root.dataset.state === 'over') paintTold();
  paintStandings();
});

fillTexts();
textField.maxLength = props.limits.text;
if (props.limits.hosted) root.dataset.state = 'closed';
whenShown('vote', () => {
  if (!props.limits.hosted && root.dataset.state !== 'ballot') loadStart();
});

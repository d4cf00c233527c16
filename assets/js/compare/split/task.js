// What a new evaluation is about: words or whole sentences, in which languages, and who did it before.

const SENTENCES = 'translation';
const form = one('.ctx-split-ask');
const taskField = form.elements.task;
const pairField = form.elements.pair;
const teacherField = form.elements.teacher;
let offered = null; // models, datasets, pairs, evaluations
let sources = { teachers: [], splits: {} }; // of the task and pair that are chosen
let sourceTurn = 0;

const isOfSentences = () => taskField.value === SENTENCES;
const askedPair = () => (isOfSentences() ? pairField.value : USUAL_PAIR);

// The models that can be asked; the base can do anything.
const askedModels = () =>
  offered.models.filter((model) => model.name === 'base' || (model.task === taskField.value && model.pair === askedPair()));

// The task and pair as chosen, or as last time, or as the model that is wanted has them.
const paintTask = (wanted = '') => {
  const model = offered.models.find((one) => one.name === wanted && one.name !== 'base');
  const tasks = offered.pairs.length ? ['sense', SENTENCES] : ['sense'];
  fill(taskField, tasks, (name) => t('task_' + name), model?.task ?? (taskField.value || recall('compare.task')));
  fill(pairField, offered.pairs, pairName, model?.task === SENTENCES ? model.pair : pairField.value || recall('compare.pair'));
  one('.ctx-split-pair').hidden = !isOfSentences();
  one('.ctx-split-dataset').hidden = isOfSentences();
  const noServer = isOfSentences() && askedPair() !== USUAL_PAIR; // servers are asked for that one alone
  form.querySelectorAll('.ctx-split-server').forEach((label) => {
    label.hidden = noServer;
  });
};

const paintTeachers = () => {
  const names = sources.teachers.map((teacher) => teacher.name);
  const counts = new Map(sources.teachers.map((teacher) => [teacher.name, teacher.count]));
  fill(teacherField, ['', ...names], (name) => (name ? `${name} (${whole(counts.get(name))})` : t(names.length ? 'teacher_none' : 'teachers_none')));
  teacherField.disabled = !names.length;
};

const loadSources = async () => {
  const mine = ++sourceTurn;
  const asked = taskField.value + askedPair();
  const reply = await ask('sources', { task: taskField.value, pair: askedPair() });
  if (mine !== sourceTurn) return;
  if (reply.error) return toast(errorText(reply));
  sources = { ...reply, of: asked };
  paintTeachers();
  paintSplits();
};

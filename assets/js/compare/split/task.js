// What a new evaluation is about: words or whole sentences of the chosen pair, and who did it before.

const form = one('.ctx-split-ask');
const taskField = form.elements.task;
const teacherField = form.elements.teacher;
let offered = null; // models, datasets, pairs with sentences, evaluations
let sources = { teachers: [], splits: {} }; // of the task and pair that are chosen
let sourceTurn = 0;

const isOfSentences = () => taskField.value === SENTENCES;
const askedModels = () => modelsFor(offered.models, taskField.value);
const askedSets = () => offered.datasets.filter((one) => one.pair === workPair());

// The task as chosen, or as last time, or as the model that is wanted has it.
const paintTask = (wanted = '') => {
  const model = offered.models.find((one) => one.name === wanted && one.name !== 'base');
  const tasks = offered.pairs.includes(workPair()) ? ['sense', SENTENCES] : ['sense'];
  fill(taskField, tasks, (name) => t('task_' + name), model?.task ?? (taskField.value || recall('compare.task')));
  one('.ctx-split-dataset').hidden = isOfSentences();
};

const paintTeachers = () => {
  const names = sources.teachers.map((teacher) => teacher.name);
  const counts = new Map(sources.teachers.map((teacher) => [teacher.name, teacher.count]));
  fill(teacherField, ['', ...names], (name) => (name ? `${name} (${whole(counts.get(name))})` : t(names.length ? 'teacher_none' : 'teachers_none')));
  teacherField.disabled = !names.length;
};

const loadSources = async () => {
  const mine = ++sourceTurn;
  const asked = taskField.value + workPair();
  const reply = await ask('sources', { task: taskField.value, pair: workPair() });
  if (mine !== sourceTurn) return;
  if (reply.error) return toast(errorText(reply));
  sources = { ...reply, of: asked };
  paintTeachers();
  paintSplits();
};

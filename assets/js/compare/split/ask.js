// The form of a new evaluation, and the list of those there are.

const [setField, splitField, rowsField] = ['dataset', 'split', 'rows'].map((name) => form.elements[name]);

let formPainted = '';

const modelFields = () => [...form.querySelectorAll('.ctx-split-models select')];

// A select for each model; what was chosen stays.
const paintModelFields = (count, wanted = '') => {
  const chosen = wanted ? [] : modelFields().map((field) => field.value);
  const models = askedModels();
  const { left, right } = firstModels(models, wanted);
  const rest = models.map((model) => model.name).filter((name) => ![left, right].includes(name));
  const usual = [left, right, ...rest];
  const isThere = (name) => models.some((model) => model.name === name);
  one('.ctx-split-models').replaceChildren(
    ...Array.from({ length: Math.min(count, models.length) }, (_, i) => {
      const label = make('label', '');
      const field = make('select', '');
      fillModels(field, models, isThere(chosen[i]) ? chosen[i] : usual[i]);
      label.append(make('span', '', t('model_n', { n: i + 1 })), field);
      return label;
    }),
  );
  const [more, less] = ['more', 'less'].map((name) => one(`[data-do=${name}_models]`));
  const set = () => {
    more.hidden = count >= Math.min(props.limits.models, models.length);
    less.hidden = count <= 1;
  };
  keepFocusIn(more.parentElement, set, () => [more, less]);
};

const paintForm = (wanted = '') => {
  paintTask(wanted);
  paintModelFields(modelFields().length || 2, wanted);
  paintTeachers();
  fill(setField, askedSets().map((one) => one.name), (name) => name, setField.value || recall('compare.dataset'));
  paintSplits();
  fill(rowsField, props.choices.rows, (n) => (n ? whole(n) : t('all_rows')), rowsField.value || 1000);
};

const paintSplits = () => {
  const sizes = (isOfSentences() ? sources.splits : askedSets().find((one) => one.name === setField.value)?.splits) ?? {};
  const filled = props.choices.splits.filter((name) => sizes[name]);
  one('.ctx-split-none').hidden = isOfSentences() || askedSets().length > 0;
  one('.ctx-split-no-sentences').hidden = !isOfSentences() || filled.length > 0;
  form.querySelector('[type=submit]').disabled = !filled.length;
  fill(splitField, filled, (name) => `${t('split_' + name)} (${whole(sizes[name])})`, splitField.value || 'dev');
};

const stateText = (evaluation) => {
  if (evaluation.state === 'running' && evaluation.total) return t('job_done_of', { n: whole(evaluation.done), total: whole(evaluation.total) });
  return shortState(evaluation);
};

// What was answered: a dataset, or a pair's sentences.
const dataName = ({ task, pair, dataset }) => {
  if (task === SENTENCES) return `${pairName(pair)}, ${dataset === 'translations' ? t('task_translation') : dataset}`;
  return pair === USUAL_PAIR ? dataset : `${pairName(pair)}, ${dataset}`;
};

const paintEarlier = () => {
  const { evaluations, models } = offered;
  const titles = new Map(models.map((model) => [model.name, model]));
  const lines = evaluations.map((evaluation) => {
    const item = make('li', 'ctx-evaluation');
    const link = make('a', 'ctx-link', evaluation.models.map((name) => modelName(titles.get(name) ?? { name })).join(' · '));
    link.href = `#compare/split/${evaluation.id}`;
    const about = [dataName(evaluation), t('split_' + evaluation.split), stateText(evaluation), whenText(evaluation.created), evaluation.who];
    item.append(link, make('p', 'ctx-note', about.filter(Boolean).join(' · ')));
    return item;
  });
  const list = one('.ctx-split-earlier ol');
  keepFocusIn(list, () => list.replaceChildren(...lines), (had) => [...list.querySelectorAll('a')].filter((link) => link.href === had.href));
  one('.ctx-split-earlier .ctx-none').hidden = evaluations.length > 0;
};

const loadStart = async () => {
  const mine = ++turn;
  const reply = await ask('choices');
  if (mine !== turn) return;
  if (reply.error) return toast(errorText(reply));
  offered = reply;
  root.dataset.state = 'start';
  // Fields that are made anew while somebody is in one of them lose what is chosen and the focus.
  const { evaluations, ...rest } = reply;
  const now = JSON.stringify([rest, document.body.dataset.item, workPair(), language]);
  const wanted = document.body.dataset.item;
  if (takePairOf(offered.models.find((one) => one.name === wanted))) return;
  if (now !== formPainted) paintForm(wanted);
  formPainted = now;
  if (sources.of !== taskField.value + workPair()) loadSources();
  paintEarlier();
  if (offered.evaluations.some(isWorking)) looking = setTimeout(look, EVERY);
};

const evaluate = async () => {
  const [teacher, server, url] = ['teacher', 'server', 'url'].map((name) => form.elements[name].value.trim());
  const others = [teacher && `teacher:${teacher}`, server && url && `server:${server}`].filter(Boolean);
  const names = [...modelFields().map((field) => field.value), ...others];
  if (names.length > props.limits.models) return toast(t('too_many_models', { n: props.limits.models }));
  names.slice(0, 2).forEach((name, i) => remember('compare.' + ['left', 'right'][i], name));
  remember('compare.dataset', setField.value);
  remember('compare.task', taskField.value);
  const question = { models: names, task: taskField.value, pair: workPair(), dataset: setField.value, split: splitField.value, rows: Number(rowsField.value), url: server ? url : '' };
  const reply = await ask('begin', question);
  if (reply.error) return toast(errorWithDetail(reply));
  location.hash = `#compare/split/${reply.evaluation.id}`;
};

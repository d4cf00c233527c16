// The form of a new evaluation, and the list of those there are.

const form = one('.ctx-split-ask');
const [setField, splitField, rowsField] = ['dataset', 'split', 'rows'].map((name) => form.elements[name]);
let offered = null; // models, datasets, evaluations

const modelFields = () => [...form.querySelectorAll('.ctx-split-models select')];

// A select for each model; what was chosen stays.
const paintModelFields = (count, wanted = '') => {
  const chosen = wanted ? [] : modelFields().map((field) => field.value);
  const { left, right } = firstModels(offered.models, wanted);
  const rest = offered.models.map((model) => model.name).filter((name) => ![left, right].includes(name));
  const usual = [left, right, ...rest];
  one('.ctx-split-models').replaceChildren(
    ...Array.from({ length: count }, (_, i) => {
      const label = make('label', '');
      const field = make('select', '');
      fillModels(field, offered.models, chosen[i] || usual[i]);
      label.append(make('span', '', t('model_n', { n: i + 1 })), field);
      return label;
    }),
  );
  one('[data-do=more_models]').hidden = count >= Math.min(props.limits.models, offered.models.length);
  one('[data-do=less_models]').hidden = count <= 1;
};

const fill = (select, choices, textOf, chosen = select.value) => {
  select.replaceChildren(
    ...choices.map((choice) => {
      const option = make('option', '', textOf(choice));
      option.value = choice;
      option.selected = String(choice) === String(chosen);
      return option;
    }),
  );
};

const paintForm = (wanted = '') => {
  const { models, datasets } = offered;
  paintModelFields(modelFields().length || Math.min(2, models.length), wanted);
  fill(setField, datasets.map((one) => one.name), (name) => name, setField.value || recall('compare.dataset'));
  paintSplits();
  fill(rowsField, props.choices.rows, (n) => (n ? whole(n) : t('all_rows')), rowsField.value || 1000);
  one('.ctx-split-none').hidden = datasets.length > 0;
  form.querySelector('[type=submit]').disabled = !datasets.length;
};

const paintSplits = () => {
  const sizes = offered.datasets.find((one) => one.name === setField.value)?.splits ?? {};
  const filled = props.choices.splits.filter((name) => sizes[name]);
  fill(splitField, filled, (name) => `${t('split_' + name)} (${whole(sizes[name])})`, splitField.value || 'dev');
};

const stateText = (evaluation) => {
  if (evaluation.state === 'running' && evaluation.total) return t('job_done_of', { n: whole(evaluation.done), total: whole(evaluation.total) });
  return shortState(evaluation);
};

const paintEarlier = () => {
  const { evaluations, models } = offered;
  const titles = new Map(models.map((model) => [model.name, model]));
  one('.ctx-split-earlier ol').replaceChildren(
    ...evaluations.map((evaluation) => {
      const item = make('li', 'ctx-evaluation');
      const link = make('a', 'ctx-link', evaluation.models.map((name) => modelName(titles.get(name) ?? { name })).join(' · '));
      link.href = `#compare/split/${evaluation.id}`;
      const about = [evaluation.dataset, t('split_' + evaluation.split), stateText(evaluation), whenText(evaluation.created), evaluation.who];
      item.append(link, make('p', 'ctx-note', about.filter(Boolean).join(' · ')));
      return item;
    }),
  );
  one('.ctx-split-earlier .ctx-none').hidden = evaluations.length > 0;
};

const loadStart = async () => {
  const mine = ++turn;
  const reply = await ask('choices');
  if (mine !== turn) return;
  if (reply.error) return toast(errorText(reply));
  offered = reply;
  root.dataset.state = 'start';
  paintForm(document.body.dataset.item);
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
  const question = { models: names, dataset: setField.value, split: splitField.value, rows: Number(rowsField.value), url: server ? url : '' };
  const reply = await ask('begin', question);
  if (reply.error) return toast(errorWithDetail(reply));
  location.hash = `#compare/split/${reply.evaluation.id}`;
};

// The form that begins a job, and the view's beginning.

const form = one('.ctx-teach');
const fields = form.elements;

const what = () => fields.what.value;

// What is written is asked of a server: our own engine answers questions only.
const readRecipe = () => {
  const from = what() === 'answers' ? fields.from.value : 'server';
  const number = (name) => Number(fields[name].value) || 0;
  const recipe = { limit: number('limit'), import: Number(fields.import.value) || null, concurrency: Math.max(1, number('concurrency')), rate: number('rate') };
  recipe.only_open = fields.only_open.checked;
  if (from === 'server') Object.assign(recipe, { url: fields.url.value.trim(), model: fields.model.value.trim() });
  else recipe.engine = from;
  if (what() === 'answers') delete recipe.import;
  if (what() === 'sentences') Object.assign(recipe, { show: fields.show.value, count: number('count'), twins: fields.twins.checked });
  return recipe;
};

const showFrom = () => {
  const kind = what();
  const server = kind !== 'answers' || fields.from.value === 'server';
  const hide = { '.ctx-from': kind !== 'answers', '.ctx-teach-show': kind !== 'sentences', '.ctx-teach-import': kind !== 'translations', '.ctx-of-limit': kind === 'sentences', '.ctx-of-answers': kind !== 'answers' };
  for (const [part, hidden] of Object.entries(hide)) one(part).hidden = hidden;
  one('.ctx-what-how').textContent = t(`what_${kind}_how`);
  one('.ctx-teach-server').hidden = !server;
  root.querySelectorAll('.ctx-of-server').forEach((field) => {
    field.hidden = !server;
  });
  remember('teacher', JSON.stringify({ from: fields.from.value, url: fields.url.value, model: fields.model.value }));
  count();
};

// What only the usual pair has is not offered in another.
const showPair = () => {
  const isUsual = workPair() === USUAL_PAIR;
  one('.ctx-teacher-pair').hidden = isUsual;
  root.querySelectorAll('[name=what][value=sentences], [name=from]:not([value=server])').forEach((radio) => {
    radio.closest('label').hidden = !isUsual;
  });
  if (isUsual) return;
  if (what() === 'sentences') fields.what.value = 'answers';
  fields.from.value = 'server';
};

let counting = 0;
const count = () => {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    if (!isShown()) return;
    const recipe = readRecipe();
    if (what() === 'sentences') return void (one('.ctx-would').textContent = '');
    const reply = await ask(what() === 'answers' ? 'wanted' : 'untranslated', recipe);
    const n = recipe.limit ? Math.min(recipe.limit, reply.count) : reply.count;
    if (what() === 'translations' && !reply.error) {
      one('.ctx-would').textContent = t(n === 1 ? 'would_translate_one' : 'would_translate', { n: n.toLocaleString(language) });
      return;
    }
    one('.ctx-would').textContent = reply.error ? errorText(reply) : t(recipe.engine ? 'teacher_would_most' : n === 1 ? 'teacher_would_one' : 'teacher_would', { n: n.toLocaleString(language) });
  }, 300);
};

form.addEventListener('input', showFrom);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const recipe = readRecipe();
  if (!recipe.engine && !(recipe.url && recipe.model)) return toast(t('teacher_needs'));
  const desk = { answers: 'teach', sentences: 'write', translations: 'translate' }[what()];
  const reply = await ask(desk, recipe);
  if (reply.error) return toast(teacherError(reply));
  look();
  count();
});

const findModels = async () => {
  const reply = await ask('models', { url: fields.url.value.trim() });
  if (reply.error) return toast(teacherError(reply));
  const options = reply.models.map((name) => {
    const option = make('option', '');
    option.value = name;
    return option;
  });
  one('#ctx-models').replaceChildren(...options);
  if (reply.models.length === 1) fields.model.value = reply.models[0];
  toast(t('models_found', { n: reply.models.length }));
  showFrom();
};

one('[data-do=models]').addEventListener('click', findModels);

const fillImports = async () => {
  const reply = await ask('sources');
  if (reply.error) return;
  const chosen = fields.import.value;
  const options = [['', t('translate_all')], ...reply.imports.map(({ number, name }) => [number, `${number}: ${name}`])];
  fields.import.replaceChildren(
    ...options.map(([value, text]) => {
      const option = make('option', '', text);
      option.value = value;
      return option;
    }),
  );
  fields.import.value = [...fields.import.options].some((option) => option.value === chosen) ? chosen : '';
};

const showTexts = () => {
  fillTexts();
  const { key, key_url: url } = props.limits;
  one('.ctx-key-note').textContent = t('teacher_key', { key, url });
  if (fields.import.options.length) fields.import.options[0].textContent = t('translate_all');
  one('.ctx-what-how').textContent = t(`what_${what()}_how`);
  paint();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});

try {
  const last = JSON.parse(recall('teacher')) ?? {};
  for (const [name, value] of Object.entries(last)) fields[name].value = value;
} catch {
  // Nothing is remembered.
}
if (!fields.url.value) fields.url.value = props.limits.url;
one('.ctx-teacher-closed').hidden = !props.limits.hosted;
root.querySelectorAll('.ctx-teacher-open').forEach((section) => {
  section.hidden = props.limits.hosted;
});
showTexts();
whenShown('teacher', () => {
  if (props.limits.hosted) return;
  showPair();
  fillImports().then(showFrom);
  look();
});

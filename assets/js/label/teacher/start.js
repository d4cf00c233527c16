// The form that begins a job, and the view's beginning.

const form = one('.ctx-teach');
const fields = form.elements;

const readRecipe = () => {
  const from = fields.from.value;
  const number = (name) => Number(fields[name].value) || 0;
  const recipe = { limit: number('limit'), concurrency: Math.max(1, number('concurrency')), rate: number('rate') };
  recipe.only_open = fields.only_open.checked;
  if (from === 'server') Object.assign(recipe, { url: fields.url.value.trim(), model: fields.model.value.trim() });
  else recipe.engine = from;
  return recipe;
};

const showFrom = () => {
  const server = fields.from.value === 'server';
  one('.ctx-teach-server').hidden = !server;
  root.querySelectorAll('.ctx-of-server').forEach((field) => {
    field.hidden = !server;
  });
  remember('teacher', JSON.stringify({ from: fields.from.value, url: fields.url.value, model: fields.model.value }));
  count();
};

let counting = 0;
const count = () => {
  clearTimeout(counting);
  counting = setTimeout(async () => {
    if (!isShown()) return;
    const recipe = readRecipe();
    const reply = await ask('wanted', recipe);
    const n = recipe.limit ? Math.min(recipe.limit, reply.count) : reply.count;
    one('.ctx-would').textContent = reply.error ? errorText(reply) : t(recipe.engine ? 'teacher_would_most' : n === 1 ? 'teacher_would_one' : 'teacher_would', { n: n.toLocaleString(language) });
  }, 300);
};

form.addEventListener('input', showFrom);

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const recipe = readRecipe();
  if (fields.from.value === 'server' && !(recipe.url && recipe.model)) return toast(t('teacher_needs'));
  const reply = await ask('teach', recipe);
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

const showTexts = () => {
  fillTexts();
  const { key, key_url: url } = props.limits;
  one('.ctx-key-note').textContent = t('teacher_key', { key, url });
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
  showFrom();
  look();
});

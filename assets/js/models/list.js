// All models by languages and task; reads on while one is on its way to readers.

const EVERY = 2000; // ms, while something is on its way
const SELDOM = 15000; // ms: memory and last use change by themselves

let looking = 0;
let turn = 0;

const isSeen = () => isShown() && document.body.dataset.view === 'list' && !document.hidden;

const memoryText = ({ base, adapters, count }) => {
  if (!base) return t('memory_none');
  return t('memory_told', { base: sizeText(base), n: whole(count), adapters: count ? sizeText(adapters) : '0' });
};

const paintRefused = () => {
  one('.ctx-refused-folders').hidden = !found.refused.length;
  const lines = found.refused.map((refused) => {
    const line = make('li', '');
    line.append(make('b', '', refused.name), ' ', t('error_adapter_' + refused.reason) || refused.reason);
    return line;
  });
  one('.ctx-refused-folders ul').replaceChildren(...lines);
};

// What had the focus has it again: the same button, or else what took its place.
const keepFocus = (act) => {
  const box = one('.ctx-groups');
  const had = box.contains(document.activeElement) && document.activeElement;
  const place = had && { group: had.closest('.ctx-group').dataset, model: had.closest('[data-model]')?.dataset.model, does: had.dataset.do, address: had.getAttribute('href') };
  act();
  if (!place) return;
  const group = [...box.children].find((item) => item.dataset.pair === place.group.pair && item.dataset.task === place.group.task);
  const lines = [...(group?.querySelectorAll('[data-model]') ?? [])];
  const line = place.model ? lines.find((item) => item.dataset.model === place.model) : group;
  const does = { load: 'unload', unload: 'load' };
  const choices = [...(line?.querySelectorAll('a, button') ?? [])];
  const same = choices.find((item) => (place.does ? item.dataset.do === place.does : item.getAttribute('href') === place.address));
  const instead = choices.find((item) => place.does && item.dataset.do === does[place.does]);
  (same ?? instead ?? choices[0] ?? group?.querySelector('a, button') ?? one('[data-do=bring]'))?.focus();
};

let painted = '';
const paint = () => {
  const now = JSON.stringify([found, language]);
  if (now === painted) return;
  painted = now;
  one('.ctx-memory').textContent = props.limits.hosted ? '' : memoryText(found.memory);
  keepFocus(() => one('.ctx-groups').replaceChildren(...found.groups.map(groupBox)));
  paintRefused();
  showPointed();
};

// The address may name one: #models/list/run:7.
let pointed = '';
const lineOf = (name) => [...root.querySelectorAll('[data-model]')].find((item) => item.dataset.model === name);
const showPointed = () => {
  root.querySelector('.ctx-pointed')?.classList.remove('ctx-pointed');
  lineOf(pointed)?.classList.add('ctx-pointed');
};
const pointAt = () => {
  const name = document.body.dataset.item ?? '';
  if (name === pointed) return;
  pointed = name;
  showPointed();
  lineOf(name)?.scrollIntoView({ block: 'center' });
};

// What was just brought in has the focus as soon as it is painted.
let fresh = '';
const focusFresh = () => {
  const link = fresh && lineOf(fresh)?.querySelector('a');
  if (!link) return;
  fresh = '';
  link.focus();
};

const look = async () => {
  clearTimeout(looking);
  if (!isSeen()) return;
  const mine = ++turn;
  const reply = await ask('models');
  if (mine !== turn) return;
  if (reply.error) {
    toast(errorText(reply));
    looking = setTimeout(look, 3 * EVERY);
    return;
  }
  found = reply;
  root.dataset.state = 'shown';
  paint();
  pointAt();
  focusFresh();
  looking = setTimeout(look, isServed() ? SELDOM : EVERY);
};

const groupOf = (pressed) => {
  const { pair, task } = pressed.closest('.ctx-group').dataset;
  return found.groups.find((group) => group.pair === pair && group.task === task);
};
const nameOf = (pressed) => pressed.closest('[data-model]').dataset.model;
const modelOf = (pressed) => groupOf(pressed).models.find((model) => model.name === nameOf(pressed));

// Does something about a model that takes a while; the button says so meanwhile.
const act = async (pressed, what, told) => {
  const text = pressed.textContent;
  const values = { title: titleOf(modelOf(pressed)) };
  pressed.setAttribute('aria-busy', 'true');
  pressed.textContent = t('at_work');
  const reply = await finish(await ask(what, { name: nameOf(pressed) }));
  pressed.removeAttribute('aria-busy');
  pressed.textContent = text;
  toast(reply.error ? errorWithDetail(reply) : t(told, values));
  painted = '';
  await look();
  return reply;
};

const unload = (pressed) => {
  const isHere = modelOf(pressed).version === groupOf(pressed).present.version;
  return act(pressed, 'unload', isHere ? 'unloaded_here_is' : 'unloaded_is');
};

const goBack = async (pressed) => {
  const { pair, task } = groupOf(pressed);
  pressed.setAttribute('aria-busy', 'true');
  const reply = await ask('back', { pair, task });
  toast(reply.error ? errorText(reply) : t('back_is', { title: titleOf(reply.promoted) }));
  look();
};

const openPromote = async (pressed) => {
  const made = await promote(nameOf(pressed));
  if (made) toast(t('promoted_is', { title: titleOf(made) }));
  look();
};

const remove = async (pressed) => {
  const [model, group] = [modelOf(pressed), groupOf(pressed)];
  const isHere = model.version === group.present.version;
  const how = t(isHere ? 'delete_how_here' : 'delete_how', { pair: pairName(model.pair), size: sizeText(model.bytes) });
  if (await isSure(t('delete_title', { title: titleOf(model) }), how, t('delete_yes'))) act(pressed, 'delete', 'deleted_is');
};

const exportIt = async (pressed) => {
  const reply = await act(pressed, 'export', 'exported_is');
  if (reply.file) fetchFile(reply.file);
};

const bring = async (dropped = null) => {
  const brought = await bringAdapter(dropped);
  if (!brought) return;
  toast(t('brought_is', { title: brought.title }));
  fresh = brought.name;
  location.hash = '#models/list/' + brought.name;
  look();
};

const ACTIONS = {
  back: goBack,
  promote: openPromote,
  load: (pressed) => act(pressed, 'load', 'loaded_is'),
  unload,
  export: exportIt,
  delete: remove,
  bring: () => bring(),
};

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-do]');
  if (pressed && !pressed.closest('dialog') && !pressed.hasAttribute('aria-busy')) ACTIONS[pressed.dataset.do]?.(pressed);
});

// Dropped anywhere in the view: elsewhere the browser would leave the page for the file.
root.addEventListener('dragover', (event) => [...event.dataTransfer.types].includes('Files') && event.preventDefault());
root.addEventListener('drop', (event) => {
  const [file] = event.dataTransfer.files;
  if (!file) return;
  event.preventDefault();
  if (!props.limits.hosted && !root.querySelector('dialog')) bring(file);
});

document.addEventListener('visibilitychange', look);
window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  if (found) paint();
});

fillTexts();
one('[data-do=bring]').hidden = props.limits.hosted;
whenShown('list', look);

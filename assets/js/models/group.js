// The models of one pair and task: what readers have first, since when and why, and the way back.

let found = null; // what the app told last

const isWords = (group) => group.pair === USUAL_PAIR && group.task === 'sense';

// Whether the app answers words with what readers are to have already.
const isServed = () => {
  const { serving, groups } = found;
  const words = groups.find(isWords);
  return !serving.version || !words || serving.version === words.present.version;
};

const servingText = () => {
  const { serving, fixed } = found;
  if (fixed) return t('present_fixed');
  if (isServed()) return '';
  return t(serving.error ? 'present_failed' : 'present_coming', { title: serving.title || serving.version });
};

const sinceText = ({ since }) => {
  if (!since) return '';
  const when = t(since.undoes ? 'present_back_since' : 'present_since', { when: whenText(since.when) });
  return [when, since.who && t('present_by', { who: since.who })].filter(Boolean).join(' · ');
};

// Which smaller form of it answers, if one does.
const formParts = (group) => {
  const { serving } = found;
  if (!serving.form || !isWords(group) || !isServed()) return [];
  const isSmall = serving.form === 'small';
  const line = make('p', 'ctx-note ctx-present-form', t(isSmall ? 'present_small' : 'present_form', serving));
  if (isSmall) line.append(' ', cardLink({ name: 'small' }, t('do_card')));
  return [line];
};

// Since when readers have it, in which form, and why.
const presentParts = (group) => {
  const parts = formParts(group);
  if (sinceText(group)) parts.push(make('p', 'ctx-note', sinceText(group)));
  if (group.since?.reason) parts.push(make('p', 'ctx-note ctx-present-why', t('present_why', { reason: group.since.reason })));
  return parts;
};

const groupTitle = ({ pair, task }) => `${pairName(pair)} · ${t('task_' + task)}`;

// The title of what readers had before; "usual" is what they have where nothing was promoted.
const beforeTitle = ({ before, models }) => {
  if (before.name !== 'usual') return titleOf(before);
  const usual = models.find((model) => model.name.startsWith('shipped'));
  return usual ? titleOf(usual) : t('before_usual');
};

// What readers have first, then runs and copies; what was there from the beginning comes last.
const inOrder = ({ models, present }) => {
  const place = (model) => (model.version === present.version ? -1 : model.name.startsWith('shipped') ? 1 : model.name === 'base' ? 2 : 0);
  return [...models].sort((a, b) => place(a) - place(b));
};

const groupBox = (group) => {
  const box = make('section', 'ctx-group');
  Object.assign(box.dataset, { pair: group.pair, task: group.task });
  const head = make('header', 'ctx-group-head');
  head.append(make('h2', '', groupTitle(group)));
  if (group.before && !(found.fixed && isWords(group)) && !props.limits.hosted) {
    head.append(button(t('do_back', { title: beforeTitle(group) }), 'back'));
  }
  box.append(head);
  if (isWords(group)) {
    const state = make('p', 'ctx-present-state', servingText());
    state.setAttribute('role', 'status');
    box.append(state);
  }
  const isThere = group.models.some((model) => model.version === group.present.version);
  if (!isThere) box.append(make('p', 'ctx-note', t('present_none')));
  const list = make('ul', 'ctx-models-list');
  list.append(...inOrder(group).map((model) => modelLine(model, group)));
  box.append(list);
  return box;
};

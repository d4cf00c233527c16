// Wires clicks to actions and begins when the view is shown.

const ACTIONS = {
  ...DO,
  keys: openKeys,
  reset_keys: resetKeys,
  overlap: applyOverlap,
  again: next,
  clear_filter: () => filter.clear(),
  bring: () => {
    location.hash = '#label/bring';
  },
};

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.take) takeOver(Number(button.dataset.take));
  else if (button?.dataset.kind) showKind(button.dataset.kind === kindShown() ? '' : button.dataset.kind);
  else if (button?.dataset.do) ACTIONS[button.dataset.do]();
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  decide('save');
});

const showRules = () => {
  const rules = ['word', 'meaning', 'class', 'phrase', 'members', 'literal', 'longest'];
  one('.ctx-rules div').replaceChildren(...rules.map((name) => make('p', '', t('guide_' + name))));
};

const showTexts = () => {
  fillTexts();
  fillClasses();
  showRules();
  printKeys();
  filter.showTexts();
  why.showTexts();
  paintWaits();
  if (!held.item) return;
  showLeft();
  paintFlag();
  paintHistory();
  paintAll();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});
// Another view sends one query here, or a filter.
window.addEventListener('ctx-review', (event) => {
  if (event.detail.filter) {
    filter.write(event.detail.filter);
    held.kind = '';
    shownFor = null; // the query at hand may be another one's
  }
  held.wanted = event.detail.id ?? null;
  location.hash = '#label/queue';
});

showTexts();
let shownFor = null;
const workOf = () => `${workPair()} ${person()}`;
whenShown('queue', () => {
  if (!props.limits.hosted) filter.askPeople();
  const { wanted } = held;
  held.wanted = null;
  if (askedKind() !== held.kind) {
    held.kind = askedKind();
    filter.write(held.kind ? KINDS[held.kind] : {});
    shownFor = null;
  }
  if (wanted) return openItem(wanted);
  const row = askedRow();
  if (row && !props.limits.hosted) {
    shownFor = workOf();
    return openRow(row);
  }
  if (shownFor === workOf() && held.item) return;
  shownFor = workOf();
  next();
});

// The bar above a tab's views: which of them is shown, who is at work, and on which pair. All stay in the browser; other page parts hear of a new name by the event ctx-person, of
// another pair by ctx-pair. `data-under` names the views that are
// reached from a button's own.

const nameField = one('.ctx-who input');
const pairField = one('select.ctx-pair');
let pairs = [];
const closedNote = one('.ctx-closed');

const showViews = () => {
  const { tab, view, item } = document.body.dataset;
  if (tab !== props.tab) return;
  root.querySelectorAll('[data-view]').forEach((button) => {
    const here = [button.dataset.view, ...(button.dataset.under ?? '').split(' ')].includes(view);
    button.setAttribute('aria-current', here ? 'page' : 'false');
  });
  remember('view.' + tab, item ? `${view}/${item}` : view);
  nameField.value = recall('person') ?? '';
  if (pairField) askPairs();
};

// The pairs there are may be more than when the page was loaded.
const askPairs = async () => {
  try {
    pairs = (await server.pairs({})).pairs ?? pairs;
  } catch {
    // The app cannot be reached: the choice stays as it is.
  }
  showWorkPairs();
};

const showWorkPairs = () => {
  if (pairField) fillPairs(pairField, [...new Set([workPair(), ...pairs])], workPair());
};

pairField?.addEventListener('change', () => {
  remember('work-pair', pairField.value);
  window.dispatchEvent(new CustomEvent('ctx-pair'));
});

root.addEventListener('click', (event) => {
  const view = event.target.closest('[data-view]')?.dataset.view;
  if (view) location.hash = `#${props.tab}/${view}`;
});

nameField.addEventListener('change', () => {
  remember('person', nameField.value.trim() || null);
  window.dispatchEvent(new CustomEvent('ctx-person'));
});

window.addEventListener('ctx-view', showViews);
window.addEventListener('ctx-pair', showWorkPairs);
window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
  showWorkPairs();
});

nameField.value = recall('person') ?? '';
one('.ctx-who').hidden = props.limits.hosted;
if (closedNote) closedNote.hidden = !props.limits.hosted;
fillTexts();
showWorkPairs();
showViews();

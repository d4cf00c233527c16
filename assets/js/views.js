// The bar above a tab's views: which of them is shown, and who is at work. Both stay in the browser;
// other page parts hear of a new name by the event ctx-person. `data-under` names the views that are
// reached from a button's own.

const nameField = one('.ctx-who input');
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
};

root.addEventListener('click', (event) => {
  const view = event.target.closest('[data-view]')?.dataset.view;
  if (view) location.hash = `#${props.tab}/${view}`;
});

nameField.addEventListener('change', () => {
  remember('person', nameField.value.trim() || null);
  window.dispatchEvent(new CustomEvent('ctx-person'));
});

window.addEventListener('ctx-view', showViews);
window.addEventListener('ctx-language', () => {
  language = findLanguage();
  fillTexts();
});

nameField.value = recall('person') ?? '';
one('.ctx-who').hidden = props.limits.hosted;
if (closedNote) closedNote.hidden = !props.limits.hosted;
fillTexts();
showViews();

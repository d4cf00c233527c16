// Which view of the Train tab is shown, and who is training. Both stay in the browser; other page
// parts hear of a new name by the event ctx-person.

const nameField = one('.ctx-who input');

const showViews = () => {
  const { tab, view, item } = document.body.dataset;
  root.querySelectorAll('[data-view]').forEach((button) => {
    const here = button.dataset.view === view || (button.dataset.view === 'runs' && view === 'run');
    button.setAttribute('aria-current', here ? 'page' : 'false');
  });
  if (tab === 'train') remember('view.train', item ? `${view}/${item}` : view);
  nameField.value = recall('person') ?? '';
};

root.addEventListener('click', (event) => {
  const view = event.target.closest('[data-view]')?.dataset.view;
  if (view) location.hash = '#train/' + view;
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

one('.ctx-who').hidden = props.limits.hosted;
fillTexts();
showViews();

// Which view of the Label tab is shown, and who is labelling. Both stay in the browser; other page
// parts hear of a new name by the event ctx-person.

const nameField = one('.ctx-who input');

const showViews = () => {
  const { tab, view } = document.body.dataset;
  root.querySelectorAll('[data-view]').forEach((button) => {
    button.setAttribute('aria-current', button.dataset.view === view ? 'page' : 'false');
  });
  if (tab === 'label') remember('view.label', view);
};

root.addEventListener('click', (event) => {
  const view = event.target.closest('[data-view]')?.dataset.view;
  if (view) location.hash = '#label/' + view;
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
one('.ctx-closed').hidden = !props.limits.hosted;
one('.ctx-who').hidden = props.limits.hosted;
fillTexts();
showViews();

// Wires clicks to actions and begins when the view is shown.

const another = () => {
  remember('import', null);
  Object.assign(held, { look: '', file: null, name: '', preview: null, run: null, stop: null });
  beginFields();
  showTrouble({});
};

const ACTIONS = {
  look: lookAtText,
  choose: () => picker.click(),
  stop: () => held.stop?.(),
  another,
  review_run: () => review(held.run.number),
  review: (pressed) => review(numberOf(pressed)),
  show_lines: showLines,
  more_lines: moreLines,
  take_back: takeBack,
  older: () => {
    shownImports += SHOWN;
    paintImports();
  },
};

root.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do]');
  if (pressed) ACTIONS[pressed.dataset.do](pressed);
});

const showLanguage = () => {
  field.lang = sourceTag();
  field.placeholder = t('bring_paste', { language: languageName(sourceOf(workPair())) });
};

const showTexts = () => {
  fillTexts();
  showLanguage();
  showForms();
  if (root.dataset.state === 'preview') showPreview();
  if (root.dataset.state === 'done') showDone(held.run);
  paintImports();
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});

beginFields();
showTexts();
if (props.limits.hosted) setState('closed');
whenShown('bring', () => {
  if (props.limits.hosted) return;
  showLanguage();
  loadImports();
  if (root.dataset.state === 'text' && !field.value) attach();
});

// Wires clicks to actions and begins.

const ACTIONS = {
  read: () => openNew(field.value),
  cancel: leaveEditor,
  change: changeText,
  link: copyLink,
  forget: forgetText,
  help,
  previous_page: () => turnPage(held.page - 1),
  next_page: () => turnPage(held.page + 1),
  previous_word: () => step(-1),
  next_word: () => step(1),
  close,
  again: () => choose(held.at),
  copy: copyCard,
  whole: toggleWhole,
  whole_again: () => follow(held.at.s),
  copy_whole: copyWhole,
  switch_pair: (button) => readIn(button.dataset.pair),
  keep_pair: keepPair,
  not_right: () => (form.hidden ? openForm() : closeForm()),
};

root.addEventListener('click', (event) => {
  const word = event.target.closest('.ctx-w');
  // Dragging over words selects text; that is no click on a word.
  if (word && getSelection().isCollapsed) return choose(placeOf(word), { focus: true });
  const button = event.target.closest('button');
  if (button?.dataset.example) openNew(props.examples[button.dataset.example].text);
  else if (button?.dataset.do) ACTIONS[button.dataset.do](button);
});

const showTexts = () => {
  fillTexts();
  showPairs();
  showExamples();
  showModel();
  showPager();
  if (held.sentences.length) showCount();
  const found = held.at && cardOf(held.at);
  if (found) showCard(held.at, found);
  else if (held.at && root.dataset.card === 'unanswered') showUnanswered(held.at);
};

window.addEventListener('ctx-language', () => {
  language = findLanguage();
  showTexts();
});
watch('value', () => nameReader(props.value.reader));
showTexts();
nameReader(model.reader);
followModel();
show('blank');
start();

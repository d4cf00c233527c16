// The card: what a word means here. One word at a time; a late reply for another word is kept only.

const card = one('.ctx-card');
const SLOW = 4000;
let asking = 0;
let slowTimer = 0;

// Looks a word up and shows it. `later` waits a moment, so that walking asks once, not every word.
const choose = async (at, { focus = false, later = false } = {}) => {
  const word = showWord(at);
  if (!word) return;
  held.at = at;
  remember('at', `${at.s}:${at.w}`);
  setTabStop(word);
  if (focus) word.focus({ preventScroll: true });
  const mine = ++asking;
  clearTimeout(slowTimer);
  const here = cardOf(at);
  here ? showCard(at, here) : showWaiting(at);
  keepInView(word);
  if (here) return;
  if (later) await new Promise((done) => setTimeout(done, 180));
  if (mine === asking) await lookUp(at, mine);
};

const lookUp = async (at, mine) => {
  slowTimer = setTimeout(() => {
    one('.ctx-wait').textContent = t('slow');
  }, SLOW);
  const { text, pair } = held;
  const { engine } = model;
  const reply = await askAboutText('answer', { sentence: at.s, word: at.w });
  if (held.text !== text || held.pair !== pair || (engine && model.engine !== engine)) return; // it was asked again
  if (reply.card) single.set(at.s + ':' + at.w, reply.card);
  if (mine !== asking) return;
  clearTimeout(slowTimer);
  if (reply.card) {
    showCard(at, reply.card);
    sweepSoon();
  } else if (!reply.error) {
    showUnanswered(at);
  } else if (reply.error === 'not_ready') {
    one('.ctx-wait').textContent = t('waiting_model');
    // Said to be ready since: nothing will call again.
    if (!isComing()) setTimeout(() => mine === asking && choose(at), 1500);
  } else {
    showTrouble(reply);
  }
  keepInView(wordElement(at));
};

const setCard = (state) => {
  root.dataset.card = state;
};

const showHead = (at) => {
  closeForm();
  one('.ctx-reply').replaceChildren();
  if (followed !== at.s) {
    endWhole();
    whole.hidden = true; // it comes when the word is answered: words go first
  }
  one('.ctx-word').textContent = wordText(at.s, at.w);
  one('.ctx-lemma').textContent = '';
  one('.ctx-class').textContent = '';
};

const showWaiting = (at) => {
  paint(at);
  showHead(at);
  one('.ctx-wait').textContent = t(isComing() ? 'waiting_model' : 'looking_up');
  setCard('waiting');
};

const showTrouble = (reply) => {
  one('.ctx-trouble p').textContent =
    model.state === 'failed' && reply.error === 'failed' ? t('model_failed') : errorText(reply);
  setCard('trouble');
  showWhole(held.at);
};

// Nobody answers words of this pair yet: the sentence's translation stands in for it.
const showUnanswered = (at) => {
  paint(at);
  showHead(at);
  const names = { source: languageName(sourceOf(held.pair)), target: languageName(targetOf(held.pair)) };
  const why = t(pairHeld().sentences ? 'unanswered_whole' : 'unanswered', names);
  one('.ctx-unanswered-why').textContent = why;
  setCard('unanswered');
  one('.ctx-said').textContent = `${wordText(at.s, at.w)}: ${why}`;
  showWhole(at);
};

const showCard = (at, found) => {
  paint(at, found.members);
  showHead(at);
  const word = wordText(at.s, at.w);
  one('.ctx-lemma').textContent = found.lemma.toLowerCase() === word.toLowerCase() ? '' : found.lemma;
  one('.ctx-class').textContent = t('class_' + found.class.replace(' ', '_'));
  one('.ctx-meaning').textContent = found.meaning || '—';
  one('.ctx-phrase').hidden = !found.members.length;
  one('.ctx-members').textContent = phraseText(at, found.members);
  one('.ctx-phrase-meaning').textContent = found.phraseMeaning;
  const guessed = found.phraseSource === 'model' ? 'phrase_guessed' : '';
  const doubt = found.level === 'unsure' ? 'unsure' : guessed;
  one('.ctx-sure').textContent = doubt && t(doubt);
  const phraseGiven = found.phraseSource === 'person' ? 'phrase_person' : '';
  const given = found.person ? 'person' : phraseGiven;
  one('.ctx-person').textContent = given && t(given);
  showMaker(one('.ctx-found .ctx-by'), found.by);
  fillSentence(at, found.members);
  one('.ctx-second').hidden = !found.second;
  one('.ctx-second').open = false;
  one('.ctx-second p').textContent = found.second;
  setCard('found');
  say(at, found);
  showWhole(at);
};

// Which adapter answered: a link to its card.
const showMaker = (line, by) => {
  line.hidden = !by;
  if (!by) return;
  const link = line.querySelector('a');
  link.textContent = by.version === 'base' ? t('name_base') : by.title;
  link.title = by.version;
  link.href = '#models/card/' + (by.card ?? by.version);
};

const fillSentence = (at, members) => {
  const parts = held.sentences[at.s].map((piece, i) => {
    const w = (i - 1) / 2;
    if (i % 2 && w === at.w) return make('mark', members.includes(w) ? 'ctx-member' : '', piece);
    if (i % 2 && members.includes(w)) return make('span', 'ctx-member', piece);
    return piece.replace(/\s+/g, ' ');
  });
  one('.ctx-sentence').replaceChildren(...parts);
};

// What a screen reader says of a new answer: short, the card has the rest.
const say = (at, found) => {
  const word = wordText(at.s, at.w);
  const parts = [t('said', { word, class: one('.ctx-class').textContent, meaning: found.meaning })];
  if (found.members.length) {
    const phrase = phraseText(at, found.members);
    parts.push(t('said_phrase', { phrase, meaning: found.phraseMeaning }));
  }
  one('.ctx-said').textContent = parts.join(' ');
};

const closeCard = () => {
  asking++;
  clearTimeout(slowTimer);
  held.at = null;
  remember('at', null);
  endWhole();
  clearMarks();
  closeForm();
  setCard('none');
};

// Nothing of the text stays in the page, not even unseen.
const emptyCard = () => {
  ['word', 'lemma', 'meaning', 'members', 'phrase-meaning', 'sentence', 'chips', 'said'].forEach((name) => {
    one('.ctx-' + name).textContent = '';
  });
  one('.ctx-second p').textContent = '';
};

const copyCard = async () => {
  const found = held.at && cardOf(held.at);
  const translated = isWholeWanted() && wholeText();
  if (!found && !translated) return;
  const lines = found ? [`${wordText(held.at.s, held.at.w)} — ${found.meaning}`] : [];
  if (found?.members.length) {
    lines.push(`${phraseText(held.at, found.members)} — ${found.phraseMeaning}`);
  }
  lines.push(held.sentences[held.at.s].join('').replace(/\s+/g, ' ').trim());
  if (translated) lines.push(translated);
  toast(t((await copyText(lines.join('\n'))) ? 'copied' : 'copy_failed'));
};

whenChanged.push(() => {
  forgetCards();
  if (held.at && root.dataset.card !== 'none' && !root.dataset.form) choose(held.at);
  sweepSoon();
});
whenReady.push(() => held.at && root.dataset.card === 'waiting' && choose(held.at));

// The sentence's translation under the card: asked for while its part is open, shown as it is
// written, ended when nobody looks at it any more.

const whole = one('.ctx-whole');
const wholeBox = one('#ctx-whole');
const translations = new Map(); // sentence → what the app said of it when it was done
const SOON = 120; // ms between two questions
let following = 0;
let followed = null; // the sentence whose translation is shown or written
let isWriting = false;

const isWholeWanted = () => recall('whole') === 'open';
const wholeText = () => translations.get(held.at?.s)?.text ?? '';

// The app is told which sentence is looked at no more: what it is told late must not end another.
const endWhole = () => {
  if (followed !== null && isWriting) ask('halt', { sentence: followed });
  isWriting = false;
  following++;
  followed = null;
};

const paintWhole = ({ text = '', done = false, by = null, note = '', again = false }) => {
  const place = one('.ctx-whole-text');
  place.textContent = text;
  place.hidden = !text;
  isWriting = followed !== null && !done && !again;
  place.classList.toggle('ctx-writing', isWriting);
  one('.ctx-whole-note').textContent = note;
  one('[data-do=copy_whole]').hidden = !(done && text);
  one('[data-do=whole_again]').hidden = !again;
  showMaker(one('.ctx-whole .ctx-by'), by);
};

const paintWholeDone = (reply) => paintWhole({ ...reply, note: reply.text ? '' : t('whole_nothing') });

// Called for the word that the card speaks of, and when the part is opened or closed.
const showWhole = (at) => {
  whole.hidden = !pairHeld().sentences;
  const open = !whole.hidden && isWholeWanted();
  wholeBox.hidden = !open;
  one('[data-do=whole]').setAttribute('aria-expanded', String(open));
  if (!open || !at) return endWhole();
  if (followed !== at.s) follow(at.s);
};

const follow = async (s) => {
  endWhole();
  followed = s;
  const mine = following;
  const known = translations.get(s);
  if (known) return paintWholeDone(known);
  paintWhole({ note: t('whole_writing') });
  let step = 0;
  for (;;) {
    const reply = await askAboutText('translate', { sentence: s, step });
    if (mine !== following) return;
    if (reply.error === 'not_ready' || reply.error === 'halted') {
      paintWhole({ note: t(reply.error === 'halted' ? 'whole_writing' : 'whole_waiting') });
      step = 0;
    } else if (reply.error) {
      return paintWhole({ note: wholeError(reply), again: true });
    } else if (reply.done) {
      translations.set(s, reply);
      paintWholeDone(reply);
      one('.ctx-said').textContent = reply.text && t('said_whole', { text: reply.text });
      return;
    } else {
      step = reply.step;
      paintWhole({ text: reply.text, note: reply.text ? '' : t('whole_writing') });
    }
    await new Promise((go) => setTimeout(go, reply.error ? 1500 : SOON));
    if (mine !== following) return;
  }
};

const wholeError = (reply) => (reply.error === 'failed' ? t('error_whole_failed') : errorText(reply));

const toggleWhole = () => {
  if (whole.hidden || !held.at) return;
  remember('whole', isWholeWanted() ? null : 'open');
  showWhole(held.at);
  if (isWholeWanted()) whole.scrollIntoView({ block: 'nearest' });
  keepInView(wordElement(held.at));
};

const copyWhole = async () => {
  toast(t((await copyText(wholeText())) ? 'copied' : 'copy_failed'));
};

const forgetWhole = () => {
  endWhole();
  translations.clear();
  paintWhole({});
};

// "Not right": a better meaning, and the phrase that was missed, chosen by touching its words. Where
// nobody answers words of the pair yet, the same form takes what the reader says the word means.

const form = one('.ctx-form-wrong');
let chosen = null; // the phrase's words; null until one is touched

const isUnanswered = () => root.dataset.card === 'unanswered';
const membersOf = (at) => cardOf(at)?.members ?? [];

const setForm = (open) => {
  form.hidden = !open;
  if (open) root.dataset.form = 'open';
  else delete root.dataset.form;
  root.querySelectorAll('.ctx-actions [data-do=not_right]').forEach((button) => {
    button.setAttribute('aria-expanded', String(open));
  });
};

const closeForm = () => setForm(false);

const showFormTexts = () => {
  const own = isUnanswered();
  const into = { language: languageName(targetOf(held.pair)) };
  one('.ctx-asked').textContent = t(own ? 'my_meaning_asked' : 'better_meaning');
  one('.ctx-asked-how').textContent = t(own ? 'my_meaning_how' : 'better_meaning_hint', into);
  one('.ctx-optional').hidden = own;
  form.elements.meaning.required = own;
};

const openForm = () => {
  if (props.limits.hosted) {
    one('.ctx-reply').textContent = t('error_hosted_read_only');
    return;
  }
  form.reset();
  chosen = null;
  showChips();
  showFormTexts();
  setForm(true);
  one('.ctx-reply').textContent = '';
  form.elements.meaning.focus({ preventScroll: isPhone() });
  card.scrollTop = form.offsetTop - grip.offsetHeight - 4;
  keepInView(wordElement(held.at));
};

const showChips = () => {
  const { s, w: here } = held.at;
  const marked = chosen ?? new Set(membersOf(held.at));
  const chips = held.sentences[s].map((piece, i) => {
    if (!(i % 2)) return piece.replace(/\s+/g, ' ');
    const w = (i - 1) / 2;
    const chip = make('button', 'ctx-chip', piece);
    chip.type = 'button';
    chip.dataset.chip = w;
    chip.setAttribute('aria-pressed', String(marked.has(w)));
    if (w === here) chip.classList.add('ctx-chip-here');
    return chip;
  });
  one('.ctx-chips').replaceChildren(...chips);
  one('.ctx-chosen').hidden = !(chosen?.size >= 2);
};

// The clicked word is in every phrase it can be missing from; taking it out means "no phrase".
const touchChip = (w) => {
  const here = held.at.w;
  const next = new Set(chosen ?? membersOf(held.at));
  if (next.has(w)) next.delete(w);
  else next.add(w).add(here);
  chosen = next.has(here) && next.size > 1 ? next : new Set();
  showChips();
  one(`[data-chip="${w}"]`).focus({ preventScroll: true });
};

form.addEventListener('click', (event) => {
  const { chip } = event.target.dataset;
  if (chip !== undefined) touchChip(Number(chip));
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { at } = held;
  const had = membersOf(at).length > 0;
  const own = isUnanswered();
  const reply = await askAboutText('not_right', {
    sentence: at.s,
    word: at.w,
    meaning: form.elements.meaning.value,
    members: chosen && (chosen.size || had) ? [...chosen].sort((a, b) => a - b) : null,
    phraseMeaning: form.elements.phraseMeaning.value,
  });
  if (held.at !== at) return;
  if (!reply.error) closeForm();
  one('.ctx-reply').textContent = reply.error ? errorText(reply) : t(own ? 'thanks_label' : 'thanks');
  if (own && !reply.error) one('.ctx-reply').append(' ', linkToLabel());
});

// What is labelled is chosen in the Label tab: there it is this pair then.
const linkToLabel = () => {
  const link = make('a', 'ctx-link', t('thanks_label_link', { pair: pairName(held.pair) }));
  link.href = '#label/queue';
  const { pair } = held;
  link.addEventListener('click', () => {
    remember('work-pair', pair);
    window.dispatchEvent(new CustomEvent('ctx-pair'));
  });
  return link;
};

// "Not right": a better meaning, and the phrase that was missed, chosen by touching its words.

const form = one('.ctx-form-wrong');
let chosen = null; // the phrase's words; null until one is touched

const closeForm = () => {
  form.hidden = true;
  delete root.dataset.form;
  one('.ctx-actions [data-do=not_right]').setAttribute('aria-expanded', 'false');
};

const openForm = () => {
  if (props.limits.hosted) {
    one('.ctx-reply').textContent = t('error_hosted_read_only');
    return;
  }
  form.reset();
  chosen = null;
  showChips();
  form.hidden = false;
  root.dataset.form = 'open';
  one('.ctx-reply').textContent = '';
  one('.ctx-actions [data-do=not_right]').setAttribute('aria-expanded', 'true');
  form.elements.meaning.focus({ preventScroll: isPhone() });
  card.scrollTop = form.offsetTop - grip.offsetHeight - 4;
  keepInView(wordElement(held.at));
};

const showChips = () => {
  const { s, w: here } = held.at;
  const marked = chosen ?? new Set(cardOf(held.at).members);
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
  const next = new Set(chosen ?? cardOf(held.at).members);
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
  const had = cardOf(at).members.length > 0;
  const reply = await askAboutText('not_right', {
    sentence: at.s,
    word: at.w,
    meaning: form.elements.meaning.value,
    members: chosen && (chosen.size || had) ? [...chosen].sort((a, b) => a - b) : null,
    phraseMeaning: form.elements.phraseMeaning.value,
  });
  if (held.at !== at) return;
  if (!reply.error) closeForm();
  one('.ctx-reply').textContent = reply.error ? errorText(reply) : t('thanks');
});

// Why somebody flags: a small field that comes up behind the flag and can be left alone. `makeWhy`
// keeps what was typed as soon as anything else is done; Escape throws it away.

const makeWhy = (form, told, keyText = () => '') => {
  const field = form.elements.why;
  let decision = null;
  let about = '';

  const close = () => {
    decision = null;
    field.value = '';
    if (form.contains(document.activeElement)) document.activeElement.blur(); // keys are commands again
    form.hidden = true;
  };

  const offer = (made, text) => {
    decision = made;
    about = text;
    form.hidden = false;
    showTexts();
  };

  // What could not be kept is there again, to be sent once more.
  const bringBack = ({ decision: made, why }, text) => {
    offer(made, text);
    field.value = why;
  };

  const keep = async () => {
    const question = { decision, why: field.value.trim() };
    const text = about;
    close();
    if (question.decision === null || !question.why) return;
    const reply = await ask('why', question);
    told(reply.error ? errorText(reply) : t('why_kept'));
    if (reply.error && form.hidden) bringBack(question, text);
  };

  const showTexts = () => {
    const key = keyText();
    form.querySelector('label span').replaceChildren(t('why_flag', { about }), ...(key ? [make('kbd', '', key)] : []));
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keep();
  });
  form.addEventListener('change', keep);
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  });
  field.maxLength = props.limits.why;
  close();

  return {
    keep,
    close,
    showTexts,
    offer,
    focus: () => form.hidden || field.focus(),
  };
};

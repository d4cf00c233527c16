// What all views of models share: what a model is called, where its pages are, its figures in words.

const titleOf = (model) => (model.name === 'base' ? t('name_base') : model.title || model.name);

const kindOf = (name, from = '') => {
  if (name.startsWith('run:')) return t('name_run', { id: name.slice(4) });
  if (name.startsWith('kept:')) return from ? t('name_imported', { from }) : t('name_kept');
  return name === 'base' ? '' : t('name_' + name.split(':')[0]);
};

const cardLink = (model, text) => {
  const link = make('a', 'ctx-link', text);
  link.href = '#models/card/' + model.name;
  return link;
};

// A link that looks like a button.
const goTo = (text, address) => {
  const link = make('a', 'ctx-link ctx-go-to', text);
  link.href = address;
  return link;
};

// chrF++, BLEU and TER count to 100, all others to 1.
const scoreText = (figure, x) => x.toFixed(['chrf', 'bleu', 'ter'].includes(figure) ? 1 : 3);

const signed = (x) => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(3)}`;

const differenceText = (one) => `${signed(one.value)} (${signed(one.low)} – ${signed(one.high)})`;

const dateText = (iso) => {
  if (!iso) return '';
  return iso.length > 10 ? whenText(iso) : new Date(iso + 'T12:00').toLocaleDateString(language, { dateStyle: 'medium' });
};

const aboutModel = (model) => {
  const parts = [kindOf(model.name, model.from)];
  if (model.name !== 'base') parts.push(t('model_version', { version: model.version }));
  if (model.made) parts.push(t('model_made', { when: dateText(model.made) }));
  return parts.filter(Boolean).join(' · ');
};

const unfitText = (model) => [t('not_fit'), t('reason_' + model.reason) || model.reason].filter(Boolean).join(' · ');

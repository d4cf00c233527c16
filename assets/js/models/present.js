// At the head of the list: what readers have, since when and why, and the way back.

let found = null; // what the app told last

const isServed = () => {
  const { serving, present } = found;
  return !serving.version || serving.version === present.version;
};

const servingText = () => {
  const { serving, fixed } = found;
  if (fixed) return t('present_fixed');
  if (isServed()) return '';
  return t(serving.error ? 'present_failed' : 'present_coming', { title: serving.title || serving.version });
};

const sinceText = () => {
  const { since } = found;
  if (!since) return '';
  const when = t(since.undoes ? 'present_back_since' : 'present_since', { when: whenText(since.when) });
  return [when, since.who && t('present_by', { who: since.who })].filter(Boolean).join(' · ');
};

const paintPresent = () => {
  const { present, since, before, fixed } = found;
  const box = one('.ctx-present');
  box.dataset.served = String(isServed());
  box.querySelector('h2').replaceChildren(cardLink(present, titleOf(present)));
  one('.ctx-present-about').textContent = [aboutModel(present), sinceText()].filter(Boolean).join(' · ');
  one('.ctx-present-why').textContent = since?.reason ? t('present_why', { reason: since.reason }) : '';
  const state = one('.ctx-present-state');
  if (state.textContent !== servingText()) state.textContent = servingText();
  const canGoBack = before && !fixed && !props.limits.hosted;
  const name = before?.name === 'shipped' ? shippedTitle() : before && titleOf(before);
  const buttons = canGoBack ? [button(t('do_back', { title: name }), 'back')] : [];
  box.querySelector('.ctx-row').replaceChildren(...buttons);
};

const shippedTitle = () => found.models.find((model) => model.name === 'shipped')?.title ?? 'shipped';

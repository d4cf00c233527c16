// The dialog that brings an adapter in: a zip that is sent, or what stands on the app's machine or on
// the hub. What is refused says why, and leaves nothing.

const makeBringDialog = () => {
  const dialog = make('dialog', 'ctx-help ctx-ask-first ctx-bring-adapter');
  const form = make('form', '');
  const field = (key, input, note = '') => {
    const label = make('label', '');
    label.append(make('span', '', t(key)), input);
    if (note) label.append(make('span', 'ctx-note', t(note)));
    return label;
  };
  const parts = {
    choose: button(t('bring_zip'), 'choose'),
    name: make('span', 'ctx-bring-name'),
    picker: Object.assign(make('input', ''), { type: 'file', accept: '.zip,application/zip', hidden: true }),
    source: Object.assign(make('input', ''), { autocomplete: 'off', spellcheck: false, maxLength: props.limits.reason }),
    more: make('details', ''),
    pair: Object.assign(make('input', ''), { autocomplete: 'off', spellcheck: false, maxLength: 7, placeholder: 'en-fr' }),
    style: make('select', ''),
    bar: make('div', 'ctx-bar'),
    far: make('p', 'ctx-note'),
    trouble: make('div', 'ctx-no-go'),
    yes: make('button', 'ctx-primary', t('bring_yes')),
    no: button(t('bring_no'), 'no', 'ctx-quiet'),
  };
  parts.style.append(...props.limits.styles.map((name) => Object.assign(make('option', '', t('bring_style_' + name)), { value: name })));
  parts.bar.append(make('i', ''));
  parts.bar.setAttribute('role', 'progressbar');
  parts.bar.setAttribute('aria-label', t('bring_adapter'));
  parts.bar.hidden = true;
  parts.far.setAttribute('role', 'status');
  parts.trouble.setAttribute('role', 'alert');
  parts.trouble.hidden = true;
  parts.more.append(make('summary', '', t('bring_no_card')), make('p', '', t('bring_no_card_how')));
  parts.more.append(field('bring_pair', parts.pair), field('bring_style', parts.style));
  const [first, last] = [make('div', 'ctx-row'), make('div', 'ctx-row')];
  first.append(parts.choose, parts.name, parts.picker);
  last.append(parts.yes, parts.no);
  form.append(first, field('bring_source', parts.source, 'bring_source_how'), parts.more, parts.bar, parts.far, parts.trouble, last);
  const title = make('h2', '', t('bring_adapter'));
  dialog.setAttribute('aria-label', title.textContent);
  dialog.append(title, make('p', '', t('bring_how')), form);
  return { dialog, form, ...parts };
};

// Asks in a dialog; what was brought in, or null. `dropped` is a file to begin with.
const bringAdapter = (dropped = null) => {
  const parts = makeBringDialog();
  const { dialog } = parts;
  const ended = new AbortController();
  let file = null;
  let brought = null;

  const take = (chosen) => {
    file = chosen;
    parts.name.textContent = file ? `${file.name} · ${sizeText(file.size)}` : '';
    if (file) parts.source.value = '';
    tell({});
    parts.yes.disabled = !file && !parts.source.value.trim();
  };
  const tell = (reply) => {
    parts.trouble.hidden = !reply.error;
    parts.trouble.replaceChildren(...(reply.error ? [make('p', '', errorText(reply)), make('p', 'ctx-note', reply.detail ?? '')] : []));
    if (reply.error === 'adapter_no_card') parts.more.open = true;
  };
  const work = (isOn, text = '') => {
    for (const part of [parts.yes, parts.choose, parts.source]) part.disabled = isOn;
    parts.bar.hidden = !isOn;
    parts.far.textContent = text;
  };
  const far = (share) => {
    const done = Math.round(100 * share);
    parts.bar.setAttribute('aria-valuenow', done);
    parts.bar.querySelector('i').style.width = `${done}%`;
    parts.far.textContent = share < 1 ? t('bring_sending', { share: percent(share) }) : t('bring_checking');
  };
  const question = async () => {
    const pair = parts.more.open ? parts.pair.value.trim() : '';
    const told = { pair, style: parts.style.value };
    if (!file) return { source: parts.source.value.trim(), ...told };
    const sent = await sendFile(file, far, ended.signal);
    return sent.path ? { path: sent.path, called: file.name, ...told } : sent;
  };
  const send = async () => {
    tell({});
    work(true, t('bring_checking'));
    far(file ? 0 : 1);
    const asked = await question();
    const reply = asked.error || asked.stopped ? asked : await finish(await ask('bring', asked));
    work(false);
    if (reply.stopped || !dialog.open) return;
    if (reply.brought) {
      brought = reply.brought;
      return dialog.close();
    }
    tell(reply);
    parts.yes.focus();
  };

  parts.form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!parts.yes.disabled) send();
  });
  parts.choose.addEventListener('click', () => parts.picker.click());
  parts.picker.addEventListener('change', () => {
    if (parts.picker.files.length) take(parts.picker.files[0]);
    parts.picker.value = ''; // the same file can be chosen again
  });
  parts.source.addEventListener('input', () => {
    if (parts.source.value && file) take(null);
    tell({});
    parts.yes.disabled = !file && !parts.source.value.trim();
  });
  parts.no.addEventListener('click', () => dialog.close());
  root.append(dialog);
  take(dropped);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener('close', () => {
      ended.abort();
      dialog.remove();
      done(brought);
    });
  });
};

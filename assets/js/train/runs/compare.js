// Curves of the runs that are ticked, laid over each other.

const comparePlot = makePlot('compare');
const compareChoice = one('.ctx-compare select');
one('.ctx-compare .ctx-curves').append(comparePlot.element);
let comparing = 0;

const compareTold = () => {
  const n = props.limits.compared;
  if (!chosen.size) return t('compare_how', { n });
  return chosen.size > n ? t('compare_most', { n }) : '';
};

const paintCompareChoice = () => {
  const before = compareChoice.value || recall('train.compare') || props.figures[0];
  compareChoice.replaceChildren(
    ...props.figures.map((name) => {
      const option = make('option', '', figureName(name));
      option.value = name;
      return option;
    }),
  );
  compareChoice.value = props.figures.includes(before) ? before : props.figures[0];
};

const compare = async () => {
  const mine = ++comparing;
  one('.ctx-compare-told').textContent = compareTold();
  comparePlot.element.hidden = !chosen.size;
  if (!chosen.size) return;
  const figure = compareChoice.value;
  const ids = [...chosen].slice(0, props.limits.compared);
  const reply = await ask('curves', { ids, figure });
  if (mine !== comparing) return;
  if (reply.error) return toast(errorText(reply));
  const curves = reply.curves.map((curve) => ({ name: String(curve.id), text: `${curve.id} · ${curve.name}`, points: curve.points }));
  if (!curves.some((curve) => curve.points.length)) {
    comparePlot.element.hidden = true;
    one('.ctx-compare-told').textContent = t('compare_none');
    return;
  }
  comparePlot.update({ title: figureName(figure), curves, marks: [] });
};

compareChoice.addEventListener('change', () => {
  remember('train.compare', compareChoice.value);
  compare();
});

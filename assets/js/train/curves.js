// A plot of curves over steps: a line for each, marks across, what stands under the pointer, a legend
// that switches curves on and off, and all values as a table. Drawn anew when its width changes.

const COLOURS = 8;
const MOST_POINTS = 600;
const MOST_ROWS = 60; // of the table

// A plot in its place; `update` takes {title, how, curves: [{name, text, points, band}], marks:
// [{x, text}], best: the step that gets a ring, right: the last step of the axis, quiet: names of
// curves that are off at first, unit: what is counted along it where that is no steps}.
const makePlot = (name) => {
  const element = make('figure', 'ctx-curve-plot');
  element.dataset.plot = name;
  const caption = make('figcaption', '');
  const readout = make('p', 'ctx-note ctx-readout');
  const drawing = make('div', 'ctx-drawing');
  const legend = make('div', 'ctx-curve-legend');
  const values = make('details', 'ctx-values');
  values.append(make('summary', ''), make('div', 'ctx-values-table'));
  element.append(caption, readout, drawing, legend, values);
  const plot = { element, spec: null, off: null, at: null };

  const isOn = (curve) => !plot.off.has(curve.name);
  const shownCurves = () => plot.spec.curves.filter(isOn);

  const draw = () => {
    const width = Math.round(drawing.clientWidth);
    if (!plot.spec || !width) return;
    const svg = svgOf('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: 'img', 'aria-label': plot.spec.title });
    const curves = shownCurves();
    const points = curves.flatMap((curve) => curve.points);
    plot.scale = null;
    if (points.length) {
      const right = plot.spec.right ?? Math.max(1, ...plot.spec.curves.map((curve) => curve.points.at(-1)?.[0] ?? 0));
      const bands = curves.flatMap((curve) => (curve.band ?? []).flatMap(([, low, high]) => [low, high]));
      const range = rangeOf([...points.map(([, y]) => y), ...bands]);
      plot.scale = scaleOf(width, right, range);
      drawAxes(svg, plot.scale, width, right, range);
      drawMarks(svg, plot, width, right);
      plot.spec.curves.forEach((curve, i) => isOn(curve) && drawCurve(svg, plot, curve, i));
      plot.hair = svgOf('line', { class: 'ctx-hair', y1: SPACE.top, y2: HEIGHT - SPACE.bottom, visibility: 'hidden' });
      svg.append(plot.hair);
    }
    drawing.replaceChildren(svg);
    paintReadout(plot, readout, shownCurves());
  };

  const paintLegend = () => {
    legend.replaceChildren(
      ...plot.spec.curves.map((curve, i) => {
        const item = button('', 'curve', 'ctx-bare ctx-curve-name');
        item.dataset.curve = curve.name;
        item.setAttribute('aria-pressed', String(isOn(curve)));
        item.append(swatch(i), make('span', '', curve.text));
        item.disabled = plot.spec.curves.length === 1;
        return item;
      }),
    );
  };

  plot.update = (spec) => {
    plot.off ??= new Set(spec.quiet ?? []);
    const changed = JSON.stringify(spec) !== JSON.stringify(plot.spec);
    plot.spec = spec;
    if (!changed) return;
    caption.textContent = spec.title;
    if (spec.how) caption.append(' ', make('span', 'ctx-note', spec.how));
    values.querySelector('summary').textContent = t('show_values');
    paintLegend();
    draw();
    if (values.open) paintValues(values, spec);
  };

  legend.addEventListener('click', (event) => {
    const curve = event.target.closest('[data-curve]')?.dataset.curve;
    if (!curve) return;
    if (!plot.off.delete(curve)) plot.off.add(curve);
    event.stopPropagation();
    paintLegend();
    draw();
    legend.querySelector(`[data-curve="${CSS.escape(curve)}"]`).focus();
  });
  values.addEventListener('toggle', () => values.open && plot.spec && paintValues(values, plot.spec));
  const follow = (event) => {
    if (!plot.scale) return;
    plot.at = plot.scale.step(event.clientX - drawing.getBoundingClientRect().left);
    paintReadout(plot, readout, shownCurves());
  };
  drawing.addEventListener('pointermove', follow);
  drawing.addEventListener('pointerdown', follow);
  drawing.addEventListener('pointerleave', () => {
    plot.at = null;
    paintReadout(plot, readout, plot.spec ? shownCurves() : []);
  });
  new ResizeObserver(draw).observe(drawing);
  return plot;
};

const swatch = (i) => {
  const svg = svgOf('svg', { viewBox: '0 0 22 6', width: 22, height: 6, 'aria-hidden': 'true' });
  svg.append(svgOf('path', { class: `ctx-curve ctx-c${i % COLOURS}${i % 2 ? ' ctx-dashed' : ''}`, d: 'M0 3h22' }));
  return svg;
};

const drawMarks = (svg, plot, width, right) => {
  let free = -Infinity; // where the last name ends
  for (const mark of plot.spec.marks ?? []) {
    const x = plot.scale.x(Math.min(mark.x, right));
    svg.append(svgOf('line', { class: 'ctx-mark-line', x1: x, x2: x, y1: SPACE.top, y2: HEIGHT - SPACE.bottom }));
    const long = mark.text.length * 7;
    const start = Math.min(x, width - long);
    if (start < free) continue; // it still stands in the list of what happened
    svg.append(svgOf('text', { class: 'ctx-mark-name', x: start, y: SPACE.top - 7 }, mark.text));
    free = start + long + 8;
  }
};

const drawCurve = (svg, plot, curve, i) => {
  const { x, y } = plot.scale;
  const place = ([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
  const colour = `ctx-c${i % COLOURS}`;
  if (curve.band?.length > 1) {
    const edge = [...curve.band.map(([step, low]) => [step, low]), ...[...curve.band].reverse().map(([step, , high]) => [step, high])];
    svg.append(svgOf('polygon', { class: `ctx-band ${colour}`, points: edge.map(place).join(' ') }));
  }
  const points = thinned(curve.points, MOST_POINTS);
  svg.append(svgOf('polyline', { class: `ctx-curve ${colour}${i % 2 ? ' ctx-dashed' : ''}`, points: points.map(place).join(' ') }));
  const ringed = curve.points.length === 1 ? curve.points : curve.points.filter(([step]) => step === plot.spec.best);
  for (const [step, value] of ringed) {
    svg.append(svgOf('circle', { class: `ctx-ring ${colour}`, cx: x(step), cy: y(value), r: 4.5 }));
  }
};

const nearest = (points, at) => points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));

// What stands under the pointer; without one, the last values.
const paintReadout = (plot, readout, curves) => {
  const filled = curves.filter((curve) => curve.points.length);
  plot.hair?.setAttribute('visibility', 'hidden');
  if (!filled.length) {
    readout.textContent = ' ';
    return;
  }
  const end = Math.max(...filled.map((curve) => curve.points.at(-1)[0]));
  const all = filled.flatMap((curve) => curve.points);
  const [step] = nearest(all, plot.at ?? end);
  if (plot.at !== null && plot.hair) {
    const x = plot.scale.x(step);
    plot.hair.setAttribute('x1', x);
    plot.hair.setAttribute('x2', x);
    plot.hair.setAttribute('visibility', 'visible');
  }
  const parts = filled.map((curve) => {
    const [at, value] = nearest(curve.points, step);
    return at === step || plot.at === null ? `${curve.text} ${shortText(value)}` : '';
  });
  readout.textContent = [t(`${plot.spec.unit ?? 'step'}_n`, { n: whole(step) }), ...parts.filter(Boolean)].join(' · ');
};

const paintValues = (values, spec) => {
  const steps = [...new Set(spec.curves.flatMap((curve) => curve.points.map(([x]) => x)))].sort((a, b) => a - b);
  const every = Math.ceil(steps.length / MOST_ROWS);
  const shown = steps.filter((step, i) => i % every === 0 || i === steps.length - 1 || step === spec.best);
  const table = make('table', '');
  const head = make('tr', '');
  head.append(...[t(spec.unit ?? 'step'), ...spec.curves.map((curve) => curve.text)].map((text) => make('th', '', text)));
  const byStep = spec.curves.map((curve) => new Map(curve.points));
  const rows = shown.map((step) => {
    const row = make('tr', step === spec.best ? 'ctx-is-best' : '');
    row.append(make('th', '', whole(step)));
    row.append(...byStep.map((found) => make('td', '', found.has(step) ? shortText(found.get(step)) : '')));
    return row;
  });
  table.append(head, ...rows);
  values.querySelector('.ctx-values-table').replaceChildren(table);
};

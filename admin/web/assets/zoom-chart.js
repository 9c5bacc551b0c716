/**
 * Makes a chart that the server drew into one that can be zoomed, when somebody asks for it: the
 * figures stand in the chart's own `data-zoom`, uPlot is loaded at the first click. One listener on
 * the document serves charts that come in later.
 */

/** @typedef {{ kind: 'stacked' | 'lines', unit: string, labels: string[], times: number[],
 *   columns: (number | null)[][] }} ZoomData */

const heightPx = 260;
const daySeconds = 86_400;
/** Part of what is seen that one key press moves or adds. */
const keyStep = 0.2;

document.addEventListener('click', (event) => {
  const button = event.target instanceof Element && event.target.closest('[data-zoom-open]');
  const figure = button?.closest('figure[data-zoom]');
  if (figure) open(figure, button).catch(() => figure.classList.add('chart-zoom-failed'));
});

/** Where the library is stands on this module's own element: its address changes with its content. */
async function library() {
  const { uplot, style } = document.getElementById('zoom-chart').dataset;
  if (!document.querySelector('link[data-uplot-style]')) {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = style;
    link.dataset.uplotStyle = '';
    document.head.append(link);
  }
  const { default: UPlot } = await import(uplot);
  return UPlot;
}

async function open(figure, button) {
  const frame = figure.querySelector('.chart-frame');
  if (!frame) return;
  // It stands still while it is looked at closely: live parts of the page go on around it.
  figure.setAttribute('hx-morph-skip', '');
  const UPlot = await library();
  /** @type {ZoomData} */
  const data = JSON.parse(figure.dataset.zoom);
  const colours = [...figure.querySelectorAll('.chart-legend .chart-key')].map(
    (key) => getComputedStyle(key).backgroundColor,
  );
  figure.querySelector('.chart-legend')?.setAttribute('hidden', '');
  const place = document.createElement('div');
  place.className = 'chart-zoomed';
  place.tabIndex = 0;
  place.setAttribute('role', 'group');
  const title = figure.querySelector('.chart-plot > title')?.textContent ?? '';
  place.setAttribute('aria-label', `${title}: arrow keys move, plus and minus zoom, 0 shows all`);
  frame.replaceWith(place);
  // Whoever looks closely keeps what is shown, also when the page fetches itself again.
  figure.setAttribute('hx-morph-skip', '');
  const help = document.createElement('p');
  help.className = 'chart-zoom-help';
  help.textContent = 'Drag to zoom, double click to see all; or + - arrows and 0.';
  place.after(help);
  button.remove();
  const plot = new UPlot(options(data, colours, place), columnsOf(data), place);
  keepWidth(plot, place);
  place.addEventListener('keydown', (event) => moveByKey(event, plot, data.times));
  place.focus();
}

/** Stacked: the last series on top, so it is drawn first and the ones below it over it. */
function columnsOf({ kind, times, columns }) {
  if (kind !== 'stacked') return [times, ...columns];
  const sums = times.map(() => 0);
  const stacked = columns.map((column) =>
    column.map((value, at) => {
      sums[at] += value ?? 0;
      return sums[at];
    }),
  );
  return [times, ...stacked.reverse()];
}

function options(data, colours, place) {
  const style = getComputedStyle(place);
  const grid = style.getPropertyValue('--chart-grid') ? gridColour(place) : style.color;
  const axis = { stroke: style.color, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } };
  const isStacked = data.kind === 'stacked';
  const order = data.labels.map((_, at) => (isStacked ? data.labels.length - 1 - at : at));
  return {
    width: place.clientWidth,
    height: heightPx,
    legend: { show: true, live: true },
    cursor: { drag: { x: true, y: false } },
    scales: {
      x: { time: true },
      y: { range: (_, least, most) => [Math.min(0, least), most || 1] },
    },
    axes: [
      { ...axis, values: timeLabels },
      { ...axis, size: 60 },
    ],
    series: [
      {
        label: 'Time',
        value: (_, seconds) => (seconds === null ? '-' : `${iso(seconds, 16)} UTC`),
      },
      ...order.map((at) => ({
        label: data.labels[at],
        stroke: colours[at],
        width: isStacked ? 1 : 2,
        points: { show: false },
        ...(isStacked ? { fill: colours[at] } : {}),
        value: (_, __, ___, index) => ownValue(data, at, index),
      })),
    ],
  };
}

/** A colour as it is painted: custom properties may hold `light-dark()`. */
function gridColour(place) {
  const probe = document.createElement('span');
  probe.className = 'chart-grid-probe';
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** "14:30", and "11-22" where a day begins; in UTC, as everything that the server draws. */
function timeLabels(_, times) {
  return times.map((seconds) =>
    seconds % daySeconds === 0 ? iso(seconds, 10).slice(5) : iso(seconds, 16).slice(11),
  );
}

function iso(seconds, length) {
  return new Date(seconds * 1000).toISOString().slice(0, length).replace('T', ' ');
}

function ownValue({ columns, unit }, at, index) {
  const value = index === null || index === undefined ? undefined : columns[at]?.[index];
  if (value === null || value === undefined) return '-';
  return `${value.toLocaleString()}${unit ? ` ${unit}` : ''}`;
}

function keepWidth(plot, place) {
  const watch = new ResizeObserver(() => {
    if (!place.isConnected) {
      watch.disconnect();
      plot.destroy();
      return;
    }
    plot.setSize({ width: place.clientWidth, height: heightPx });
  });
  watch.observe(place);
}

function moveByKey(event, plot, times) {
  const { min, max } = plot.scales.x;
  const all = { min: times[0], max: times[times.length - 1] };
  const step = (max - min) * keyStep;
  const wanted = {
    ArrowLeft: { min: min - step, max: max - step },
    ArrowRight: { min: min + step, max: max + step },
    '+': { min: min + step, max: max - step },
    '-': { min: min - step, max: max + step },
    0: all,
  }[event.key];
  if (!wanted) return;
  event.preventDefault();
  const width = Math.min(wanted.max - wanted.min, all.max - all.min);
  const from = Math.min(Math.max(wanted.min, all.min), all.max - width);
  plot.setScale('x', { min: from, max: from + width });
}

// The cockpit's charts: price with anchor, triggers and trades; and the cell's worth beside being left alone.
// All figures are in the tables beside them.
(() => {
  const box = document.getElementById("chart");
  const worthBox = document.getElementById("worth");
  if (!box || !worthBox || !window.charting) return;
  const { calmChart, element, look, marking, named, quiet, stepped, LineSeries, LineStyle } = window.charting;
  const RANGES = [["3 months", "?days=92"], ["1 year", "?days=366"], ["All", ""]];

  box.replaceChildren();
  const bar = element(box, "ranges", "group", "Time shown");
  const canvas = element(box, "chart", "img", "Price");
  const worthCanvas = element(worthBox, "fill", "img", "Worth");

  const chart = calmChart(canvas, (value) => value.toFixed(2));
  const upper = chart.addSeries(LineSeries, { ...stepped, lineStyle: LineStyle.Dashed });
  const lower = chart.addSeries(LineSeries, { ...stepped, lineStyle: LineStyle.Dashed });
  const anchor = chart.addSeries(LineSeries, stepped);
  const price = chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });
  const markTrades = marking(chart, price);

  const worthChart = calmChart(worthCanvas, (value) => Math.round(value).toLocaleString("en-US"));
  const alone = worthChart.addSeries(LineSeries, { ...quiet, lineWidth: 1 });
  const worth = worthChart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });

  let history = { days: [], prices: [], anchors: [], trades: [], values: [], alone: [], up: 0, down: 0 };
  let asked = "?days=366";
  let fitted = true;  // until somebody drags or pinches

  const paint = () => {
    chart.applyOptions(look());
    worthChart.applyOptions(look());
    price.applyOptions({ color: named("ink") });
    worth.applyOptions({ color: named("ink") });
    alone.applyOptions({ color: named("line-strong") });
    anchor.applyOptions({ color: named("anchor") });
    upper.applyOptions({ color: named("sell") });
    lower.applyOptions({ color: named("buy") });
    mark(true);
  };

  const mark = (anew) => markTrades(history.days, history.trades, anew === true);

  const points = (values, factor = 1) => history.days.map((time, index) =>
    (values[index] === null ? { time } : { time, value: values[index] * factor }));

  const draw = () => {
    price.setData(points(history.prices));
    anchor.setData(points(history.anchors));
    upper.setData(points(history.anchors, 1 + history.up));
    lower.setData(points(history.anchors, 1 - history.down));
    worth.setData(points(history.values));
    alone.setData(points(history.alone));
    worthChart.timeScale().fitContent();
    if (fitted) chart.timeScale().fitContent();
    describe();
    mark(true);
  };

  const describe = () => {
    const last = history.days.length - 1;
    if (last < 0) return;
    const span = `from ${history.days[0]} to ${history.days[last]}`;
    canvas.setAttribute("aria-label", `Price ${span}: ${history.prices[0]} to ${history.prices[last]}, `
      + `${history.trades.length} trades. The table below lists the latest.`);
    worthCanvas.setAttribute("aria-label", `Worth ${span}: ${history.values[0]} to ${history.values[last]}; `
      + `left alone ${history.alone[last]}.`);
  };

  const load = async () => {
    const answer = await fetch(box.dataset.from + asked, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    history = await answer.json();
    draw();
  };

  const show = (range) => {
    asked = range;
    fitted = true;
    for (const button of bar.children) button.setAttribute("aria-pressed", String(button.value === range));
    load();
  };

  for (const [name, range] of RANGES) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.value = range;
    button.addEventListener("click", () => show(range));
    bar.append(button);
  }

  chart.timeScale().subscribeVisibleLogicalRangeChange(mark);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.sourceElement?.id === "live") load();
  });
  canvas.addEventListener("pointerdown", () => { fitted = false; });
  paint();
  show(asked);
})();

// The charts of a simulation: worth, falls, stock share, price with trades; all four show the same days.
// What they show without scripts are the drawings they replace; all figures are in the tables beside them.
(() => {
  if (!window.charting) return;
  const { calmChart, createSeriesMarkers, element, HistogramSeries, look, marking, named, quiet, LineSeries, LineStyle } = window.charting;
  const DAY = 86_400;
  const LINEAR = 0;
  const LOGARITHMIC = 1;
  const whole = (value) => Math.round(value).toLocaleString("en-US");
  const percent = (value) => `${value.toFixed(1).replace("-", "\u2212")} %`;
  const format = { worth: whole, fall: percent, share: percent, price: (value) => value.toFixed(2) };
  const dashed = { ...quiet, lineWidth: 1, lineStyle: LineStyle.Dashed, colour: "line-strong" };
  // of each chart, from back to front: which figures, in which colour
  const LINES = {
    worth: [["low_first", dashed], ["high_first", dashed], ["mixed", { ...quiet, lineWidth: 1, colour: "mixed" }], ["held", { ...quiet, lineWidth: 1, colour: "anchor" }],
      ["values", { lineWidth: 2, priceLineVisible: false, colour: "ink" }]],
    fall: [["held_fall", { ...quiet, lineWidth: 1, colour: "anchor" }],
      ["fall", { ...quiet, lineWidth: 2, colour: "ink" }]],
    share: [["low", dashed], ["high", dashed], ["shares", { lineWidth: 1, priceLineVisible: false, colour: "ink" }]],
    price: [["prices", { lineWidth: 1, priceLineVisible: false, colour: "ink" }]],
  };

  const split = (days) => ({ at, ratio }) =>
    ({ time: days[at], position: "aboveBar", shape: "square", color: named("anchor"), size: 0.8, text: ratio });

  // Below the price, so that they are not in the way of the trades.
  const ticks = (chart, { days, dividends }) => {
    const series = chart.addSeries(HistogramSeries, { ...quiet, priceScaleId: "dividends" });
    series.priceScale().applyOptions({ scaleMargins: { top: 0.95, bottom: 0 } });
    series.setData(dividends.map((at) => ({ time: days[at], value: 1 })));
    return series;
  };

  const made = (box, name, history, label) => {
    const chart = calmChart(box, format[name]);
    const known = LINES[name].filter(([figures]) => !Array.isArray(history[figures]) || history[figures].length);
    const lines = known.map(([figures, traits]) => {
      const { colour, ...options } = traits;
      const line = chart.addSeries(LineSeries, options);
      const values = history[figures];
      line.setData(history.days.map((time, at) => ({ time, value: Array.isArray(values) ? values[at] : values })));
      return { line, colour };
    });
    const paint = () => {
      chart.applyOptions(look());
      for (const { line, colour } of lines) line.applyOptions({ color: named(colour) });
      if (name !== "price") return;
      splits.setMarkers(history.splits.map(split(history.days)));
      dividends.applyOptions({ color: named("mixed") });
    };
    const splits = createSeriesMarkers(lines.at(-1).line, []);
    const dividends = name === "price" ? ticks(chart, history) : null;
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", label);
    paint();
    chart.timeScale().fitContent();
    return { chart, paint, top: lines.at(-1).line };
  };

  // Who drags or pinches one chart moves all of them.
  const together = (charts) => {
    let leading = false;
    for (const { chart } of charts) {
      chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
        if (leading || !range) return;
        leading = true;
        for (const other of charts) if (other.chart !== chart) other.chart.timeScale().setVisibleLogicalRange(range);
        leading = false;
      });
    }
  };

  const scaleButtons = (box, chart) => {
    const bar = element(box.parentElement, "ranges", "group", "Scale of the money");
    box.before(bar);
    for (const [words, mode] of [["Linear", LINEAR], ["Logarithmic", LOGARITHMIC]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words;
      button.setAttribute("aria-pressed", String(mode === LINEAR));
      button.addEventListener("click", () => {
        chart.priceScale("right").applyOptions({ mode });
        for (const each of bar.children) each.setAttribute("aria-pressed", String(each === button));
      });
      bar.append(button);
    }
  };

  const words = (name, history) => {
    const last = history.days.length - 1;
    const told = {
      worth: `Worth: robot ${whole(history.values[last])}, buy and hold ${whole(history.held[last])}, constant mix ${whole(history.mixed[last])} at the end`,
      fall: `Below its highest value: robot at worst ${percent(Math.min(...history.fall))}, buy and hold ${percent(Math.min(...history.held_fall))}`,
      share: `Stock share: ${percent(Math.min(...history.shares))} to ${percent(Math.max(...history.shares))}, guardrails ${history.low} and ${history.high} %`,
      price: `Price with ${history.trade_count} trades, ${history.dividends.length} dividends and ${history.splits.length} splits; the table below lists the trades`,
    };
    return told[name];
  };

  const draw = (place, answer) => {
    const history = { ...answer, days: answer.days.map((day) => day * DAY) };
    const charts = [...place.querySelectorAll("[data-chart]")].map((box) => {
      const name = box.dataset.chart;
      box.replaceChildren();
      const drawn = made(box, name, history, words(name, history));
      if (name === "worth") scaleButtons(box, drawn.chart);
      return { name, ...drawn };
    });
    const price = charts.find(({ name }) => name === "price");
    const markTrades = marking(price.chart, price.top);
    const mark = (anew) => markTrades(history.days, history.trades, anew === true);
    price.chart.timeScale().subscribeVisibleLogicalRangeChange(mark);
    mark();
    together(charts);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const { paint } of charts) paint();
      mark(true);
    });
    place.dataset.drawn = "yes";
  };

  const waited = document.getElementById("asks-again");

  const load = async () => {
    const place = document.getElementById("charts");
    if (!place || place.dataset.asked) return;
    place.dataset.asked = "yes";
    if (waited) document.getElementById("said").textContent = document.getElementById("verdict-title").textContent;
    const answer = await fetch(place.dataset.from, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) draw(place, await answer.json());
  };

  document.addEventListener("htmx:after:swap", load);
  load();
})();

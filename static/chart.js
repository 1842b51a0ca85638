// The cockpit's charts: price with anchor, triggers and trades; and the cell's worth beside being left alone.
// All figures are in the tables beside them.
(() => {
  const box = document.getElementById("chart");
  const worthBox = document.getElementById("worth");
  if (!box || !worthBox || !window.LightweightCharts) return;
  const { createChart, createSeriesMarkers, LineSeries, LineStyle, LineType } = window.LightweightCharts;
  const RANGES = [["3 months", "?days=92"], ["1 year", "?days=366"], ["All", ""]];
  const ARROWS_FROM = 9;  // pixels between two sessions
  const DOT_ROOM = 14;    // pixels a dot needs beside its neighbour
  const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
  const stepped = { ...quiet, lineWidth: 1, lineType: LineType.WithSteps };

  const element = (parent, name, role, label) => {
    const made = document.createElement("div");
    made.className = name;
    made.setAttribute("role", role);
    made.setAttribute("aria-label", label);
    parent.append(made);
    return made;
  };

  box.replaceChildren();
  const bar = element(box, "ranges", "group", "Time shown");
  const canvas = element(box, "chart", "img", "Price");
  const worthCanvas = element(worthBox, "fill", "img", "Worth");

  const calmChart = (place, format) => createChart(place, {
    autoSize: true,
    layout: { attributionLogo: false },  // the footer of every page names and links TradingView
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
    timeScale: { borderVisible: false, minBarSpacing: 0.05, rightOffset: 2 },
    localization: { priceFormatter: format },
  });

  const chart = calmChart(canvas, (value) => value.toFixed(2));
  const upper = chart.addSeries(LineSeries, { ...stepped, lineStyle: LineStyle.Dashed });
  const lower = chart.addSeries(LineSeries, { ...stepped, lineStyle: LineStyle.Dashed });
  const anchor = chart.addSeries(LineSeries, stepped);
  const price = chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });
  const markers = createSeriesMarkers(price, []);

  const worthChart = calmChart(worthCanvas, (value) => Math.round(value).toLocaleString("en-US"));
  const alone = worthChart.addSeries(LineSeries, { ...quiet, lineWidth: 1 });
  const worth = worthChart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });

  let history = { days: [], prices: [], anchors: [], trades: [], values: [], alone: [], up: 0, down: 0 };
  let asked = "?days=366";
  let fitted = true;  // until somebody drags or pinches
  let colours = {};
  let marked = "";

  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    const look = {
      layout: {
        background: { color: "transparent" },
        textColor: named("muted"),
        fontFamily: '"Inter", system-ui, sans-serif',
        fontSize: 11,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: named("line") } },
      crosshair: { vertLine: { color: named("line-strong") }, horzLine: { color: named("line-strong") } },
    };
    chart.applyOptions(look);
    worthChart.applyOptions(look);
    colours = { buy: named("buy"), sell: named("sell") };
    price.applyOptions({ color: named("ink") });
    worth.applyOptions({ color: named("ink") });
    alone.applyOptions({ color: named("line-strong") });
    anchor.applyOptions({ color: named("anchor") });
    upper.applyOptions({ color: named("sell") });
    lower.applyOptions({ color: named("buy") });
    marked = "";
    mark();
  };

  const spacing = () => {
    const range = chart.timeScale().getVisibleLogicalRange();
    return range ? chart.timeScale().width() / Math.max(range.to - range.from, 1) : 1;
  };

  // Arrows where there is room for them; else dots; and where dots would touch, one for several trades, larger.
  const mark = () => {
    const room = spacing();
    const arrows = room >= ARROWS_FROM;
    const together = arrows ? 1 : Math.max(Math.round(DOT_ROOM / room), 1);
    const key = `${arrows} ${together} ${history.days.length} ${history.trades.length}`;
    if (key === marked) return;
    marked = key;
    const groups = new Map();
    for (const trade of history.trades) {
      const name = `${trade.side} ${arrows ? groups.size : Math.floor(trade.at / together)}`;
      groups.set(name, [...(groups.get(name) || []), trade]);
    }
    const drawn = [...groups.values()].map((trades) => marker(trades, arrows));
    markers.setMarkers(drawn.sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0)));
  };

  const marker = (trades, arrow) => {
    const middle = trades[Math.floor(trades.length / 2)];
    const buys = middle.side === "BUY";
    return {
      time: history.days[middle.at],
      position: buys ? "belowBar" : "aboveBar",
      shape: !arrow ? "circle" : buys ? "arrowUp" : "arrowDown",
      color: buys ? colours.buy : colours.sell,
      size: arrow ? 0.9 : Math.min(0.35 + 0.12 * trades.length, 0.9),
    };
  };

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
    marked = "";
    mark();
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

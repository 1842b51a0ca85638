// The cockpit's chart: price, anchor steps, trigger band and trades. Its figures are in the tables beside it.
(() => {
  const box = document.getElementById("chart");
  if (!box || !window.LightweightCharts) return;
  const { createChart, createSeriesMarkers, LineSeries, LineStyle, LineType } = window.LightweightCharts;
  const RANGES = [["3 months", 63], ["1 year", 253], ["All", Infinity]];
  const ARROWS_FROM = 9;  // pixels between two sessions
  const DOT_ROOM = 14;    // pixels a dot needs beside its neighbour

  const bar = document.createElement("div");
  bar.className = "ranges";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Time shown");
  const canvas = document.createElement("div");
  canvas.className = "chart";
  canvas.setAttribute("role", "img");
  box.replaceChildren(bar, canvas);

  const chart = createChart(canvas, {
    autoSize: true,
    layout: { attributionLogo: false },  // the footer of every page names and links TradingView
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
    timeScale: { borderVisible: false, rightOffset: 4, minBarSpacing: 0.05 },
    localization: { priceFormatter: (price) => price.toFixed(2) },
  });
  const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
  const steps = { ...quiet, lineType: LineType.WithSteps };
  const upper = chart.addSeries(LineSeries, { ...steps, lineWidth: 1, lineStyle: LineStyle.Dashed });
  const lower = chart.addSeries(LineSeries, { ...steps, lineWidth: 1, lineStyle: LineStyle.Dashed });
  const anchor = chart.addSeries(LineSeries, { ...steps, lineWidth: 1 });
  const price = chart.addSeries(LineSeries, { lineWidth: 2, priceLineVisible: false });
  const markers = createSeriesMarkers(price, []);

  let history = { days: [], prices: [], anchors: [], trades: [], up: 0, down: 0 };
  let drawnAt = "";
  let colours = {};

  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    colours = { buy: named("buy"), sell: named("sell") };
    chart.applyOptions({
      layout: {
        background: { color: "transparent" },
        textColor: named("muted"),
        fontFamily: '"Inter", system-ui, sans-serif',
        fontSize: 11,
      },
      grid: { vertLines: { visible: false }, horzLines: { color: named("line") } },
      crosshair: { vertLine: { color: named("line-strong") }, horzLine: { color: named("line-strong") } },
    });
    price.applyOptions({ color: named("ink") });
    anchor.applyOptions({ color: named("anchor") });
    upper.applyOptions({ color: named("sell") });
    lower.applyOptions({ color: named("buy") });
    drawnAt = "";
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
    if (key === drawnAt) return;
    drawnAt = key;
    const groups = new Map();
    for (const trade of history.trades) {
      const name = `${trade.side} ${arrows ? groups.size : Math.floor(trade.at / together)}`;
      groups.set(name, [...(groups.get(name) || []), trade]);
    }
    const drawn = [...groups.values()].map((trades) => {
      const middle = trades[Math.floor(trades.length / 2)];
      const buys = middle.side === "BUY";
      return {
        time: history.days[middle.at],
        position: buys ? "belowBar" : "aboveBar",
        shape: arrows ? (buys ? "arrowUp" : "arrowDown") : "circle",
        color: buys ? colours.buy : colours.sell,
        size: arrows ? 0.9 : Math.min(0.35 + 0.12 * trades.length, 0.9),
      };
    });
    markers.setMarkers(drawn.sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0)));
  };

  const points = (values) => history.days.map((time, index) =>
    (values[index] === null ? { time } : { time, value: values[index] }));

  const draw = () => {
    price.setData(points(history.prices));
    anchor.setData(points(history.anchors));
    upper.setData(points(history.anchors.map((value) => (value === null ? null : value * (1 + history.up)))));
    lower.setData(points(history.anchors.map((value) => (value === null ? null : value * (1 - history.down)))));
    const first = history.days[0];
    const last = history.days.at(-1);
    canvas.setAttribute("aria-label", first
      ? `Price from ${history.prices[0]} on ${first} to ${history.prices.at(-1)} on ${last}, ${history.trades.length} trades. The table below lists the latest.`
      : "No prices yet.");
    drawnAt = "";
    mark();
  };

  const show = (sessions) => {
    const count = history.days.length;
    chart.timeScale().setVisibleLogicalRange({ from: Math.max(count - sessions, 0) - 0.5, to: count + 3 });
    for (const button of bar.children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.sessions) === sessions));
    }
  };

  for (const [name, sessions] of RANGES) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.dataset.sessions = sessions;
    button.addEventListener("click", () => show(sessions));
    bar.append(button);
  }

  const load = async () => {
    const answer = await fetch(box.dataset.from, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const before = history.days.length;
    history = await answer.json();
    draw();
    if (before === 0) show(history.days.length > 300 ? 253 : Infinity);
  };

  chart.timeScale().subscribeVisibleLogicalRangeChange(mark);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.sourceElement?.id === "live") load();
  });
  paint();
  load();
})();

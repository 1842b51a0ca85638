// What all charts share: how calm they look, in which colours, and how trades are marked on a line.
// Figures are in the tables beside them.
window.charting = (() => {
  if (!window.LightweightCharts) return null;
  const { createChart, createSeriesMarkers, HistogramSeries, LineSeries, LineStyle, LineType } = window.LightweightCharts;
  const ARROWS_FROM = 9;  // pixels between two sessions
  const DOT_ROOM = 14;    // pixels a dot needs beside its neighbour
  const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
  const stepped = { ...quiet, lineWidth: 1, lineType: LineType.WithSteps };

  const named = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const element = (parent, name, role, label) => {
    const made = document.createElement("div");
    made.className = name;
    made.setAttribute("role", role);
    made.setAttribute("aria-label", label);
    parent.append(made);
    return made;
  };

  const calmChart = (place, format) => createChart(place, {
    autoSize: true,
    layout: { attributionLogo: false },  // the footer of every page names and links TradingView
    handleScale: { mouseWheel: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
    timeScale: { borderVisible: false, minBarSpacing: 0.05, rightOffset: 2 },
    localization: { priceFormatter: format },
  });

  const look = () => ({
    layout: {
      background: { color: "transparent" },
      textColor: named("muted"),
      fontFamily: '"Inter", system-ui, sans-serif',
      fontSize: 11,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: named("line") } },
    crosshair: { vertLine: { color: named("line-strong") }, horzLine: { color: named("line-strong") } },
  });

  const spacing = (chart) => {
    const range = chart.timeScale().getVisibleLogicalRange();
    return range ? chart.timeScale().width() / Math.max(range.to - range.from, 1) : 1;
  };

  // Arrows where there is room for them; else dots; and where dots would touch, one for several trades, larger.
  const marker = (trades, days, arrow, colours) => {
    const middle = trades[Math.floor(trades.length / 2)];
    const buys = middle.side === "BUY";
    return {
      time: days[middle.at],
      position: buys ? "belowBar" : "aboveBar",
      shape: !arrow ? "circle" : buys ? "arrowUp" : "arrowDown",
      color: buys ? colours.buy : colours.sell,
      size: arrow ? 0.9 : Math.min(0.35 + 0.12 * trades.length, 0.9),
    };
  };

  const order = (one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0);

  // Marks the trades ({at, side}) of a line of days anew whenever there is more or less room for them.
  const marking = (chart, line) => {
    const markers = createSeriesMarkers(line, []);
    let marked = "";
    return (days, trades, anew = false) => {
      const room = spacing(chart);
      const arrows = room >= ARROWS_FROM;
      const together = arrows ? 1 : Math.max(Math.round(DOT_ROOM / room), 1);
      const key = `${arrows} ${together} ${days.length} ${trades.length}`;
      if (key === marked && !anew) return;
      marked = key;
      const groups = new Map();
      for (const trade of trades) {
        const name = `${trade.side} ${arrows ? groups.size : Math.floor(trade.at / together)}`;
        if (groups.has(name)) groups.get(name).push(trade);
        else groups.set(name, [trade]);
      }
      const colours = { buy: named("buy"), sell: named("sell") };
      markers.setMarkers([...groups.values()].map((each) => marker(each, days, arrows, colours)).sort(order));
    };
  };

  return { calmChart, createSeriesMarkers, element, HistogramSeries, look, marking, named, quiet, stepped, LineSeries, LineStyle, LineType };
})();

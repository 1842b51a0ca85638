// The chart of recorded bars. Without scripts a drawing of the closes stands in its place; the figures are beside it.
(() => {
  if (!window.charting) return;
  const { calmChart, element, HistogramSeries, look, named, quiet } = window.charting;
  const { CandlestickSeries } = window.LightweightCharts;
  const SCALES = [["Linear", 0], ["Logarithmic", 1]];
  const STEP = 0.1; // of what is shown, for a key

  // Below zero there is room for the volumes, and no price.
  const price = (value) => (value < 0 ? "" : value.toFixed(value > 0 && value < 1 ? 4 : 2));

  const scaleButtons = (box, chart) => {
    const bar = element(box.parentElement, "ranges", "group", "Scale of the price");
    box.before(bar);
    for (const [words, mode] of SCALES) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words;
      button.setAttribute("aria-pressed", String(mode === 0));
      button.addEventListener("click", () => {
        chart.priceScale("right").applyOptions({ mode });
        for (const each of bar.children) each.setAttribute("aria-pressed", String(each === button));
      });
      bar.append(button);
    }
  };

  // Left and right move what is shown, plus and minus change how much it is, Home shows all.
  const keys = (box, chart) => {
    const scale = chart.timeScale();
    const shift = { ArrowLeft: [-STEP, -STEP], ArrowRight: [STEP, STEP], "+": [STEP, -STEP], "=": [STEP, -STEP], "-": [-STEP, STEP] };
    box.tabIndex = 0;
    box.addEventListener("keydown", (event) => {
      const range = scale.getVisibleLogicalRange();
      if (event.ctrlKey || event.metaKey || event.altKey || !range) return;
      if (event.key === "Home") scale.fitContent();
      else if (event.key in shift) {
        const [from, to] = shift[event.key].map((part) => part * (range.to - range.from));
        scale.setVisibleLogicalRange({ from: range.from + from, to: range.to + to });
      } else return;
      event.preventDefault();
    });
  };

  const draw = (box, bars) => {
    box.replaceChildren();
    const chart = calmChart(box, price);
    chart.applyOptions({
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.18 } },
      timeScale: { timeVisible: !bars.is_daily, secondsVisible: false },
    });
    const volume = chart.addSeries(HistogramSeries, { ...quiet, priceScaleId: "volume", priceFormat: { type: "volume" } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    const candles = chart.addSeries(CandlestickSeries, { priceLineVisible: false });
    const { times, open, high, low, close, volumes } = bars;
    candles.setData(times.map((time, at) => ({ time, open: open[at], high: high[at], low: low[at], close: close[at] })));
    volume.setData(times.map((time, at) => ({ time, value: volumes[at] })));
    const paint = () => {
      chart.applyOptions(look());
      const [up, down] = [named("gain"), named("loss")];
      candles.applyOptions({ upColor: up, wickUpColor: up, borderUpColor: up, downColor: down, wickDownColor: down, borderDownColor: down });
      volume.applyOptions({ color: named("line-strong") });
    };
    paint();
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${box.dataset.name}, ${times.length} candles. Arrow keys move, plus and minus zoom, Home shows all; the figures are beside it`);
    scaleButtons(box, chart);
    keys(box, chart);
    chart.timeScale().fitContent();
    box.dataset.drawn = "yes";
  };

  const load = async () => {
    const box = document.getElementById("series-chart");
    if (!box) return;
    const answer = await fetch(box.dataset.from, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) draw(box, await answer.json());
  };

  load();
})();

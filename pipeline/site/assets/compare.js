// The comparison: a list of up to six trusts kept in the address, a small chart and a table.
(function () {
  "use strict";
  var data = window.FIVEPERCENT_COMPARE, look = window.FIVEPERCENT_THEME, site = window.FIVEPERCENT;
  var form = document.getElementById("chooser");
  if (!data || !form || !site) return;
  var input = document.getElementById("pick"), chips = document.getElementById("chosen");
  var status = document.getElementById("chosen-status"), figure = document.getElementById("comparison");
  var plot = document.getElementById("compare-plot"), table = document.getElementById("compare-table");
  var chosen = [];

  function known(code) { return Object.prototype.hasOwnProperty.call(data.trusts, code); }
  function byName(a, b) { return data.trusts[a].name.toLowerCase() < data.trusts[b].name.toLowerCase() ? -1 : 1; }

  function codeOf(text) {
    var inside = /\(([^()]*)\)\s*$/.exec(text), wanted = (inside ? inside[1] : text).trim();
    if (known(wanted)) return wanted;
    if (known(wanted.toUpperCase())) return wanted.toUpperCase();
    var words = text.toLowerCase().split(/\s+/).filter(Boolean);
    var hits = Object.keys(data.trusts).filter(function (code) {
      var name = data.trusts[code].name.toLowerCase();
      return words.length && words.every(function (w) { return name.indexOf(w) >= 0; });
    });
    return hits.length === 1 ? hits[0] : null;
  }

  function add(tag, parent, text, scope) {
    var node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (scope) node.scope = scope;
    parent.appendChild(node);
    return node;
  }

  function showChips() {
    chips.textContent = "";
    chosen.forEach(function (code) {
      var item = add("li", chips), link = add("a", item, data.trusts[code].name);
      link.href = "trusts/" + encodeURIComponent(data.trusts[code].page) + ".html";
      var button = add("button", item, "Remove");
      button.type = "button";
      button.setAttribute("aria-label", "Remove " + data.trusts[code].name);
      button.addEventListener("click", function () {
        chosen = chosen.filter(function (c) { return c !== code; });
        update(data.trusts[code].name + " removed.");
        input.focus();
      });
    });
  }

  function showTable() {
    while (table.children.length > 1) table.removeChild(table.lastChild);
    var head = add("tr", add("thead", table)), body = add("tbody", table);
    add("th", head, "Figure", "col");
    chosen.forEach(function (code) { add("th", head, data.trusts[code].name, "col"); });
    var sector = add("tr", body);
    add("th", sector, "Sector", "row");
    chosen.forEach(function (code) { add("td", sector, data.trusts[code].sector); });
    data.labels.forEach(function (label, i) {
      var row = add("tr", body);
      add("th", row, label, "row");
      chosen.forEach(function (code) { add("td", row, data.trusts[code].cells[i]); });
    });
  }

  function showChart() {
    var names = chosen.map(function (c) { return site.escape(data.trusts[c].name); });
    var at = [], x = [], more = [], less = [], colour = [], symbol = [], text = [], ends = [];
    chosen.forEach(function (code, i) {
      var t = data.trusts[code];
      if (!t.share) return;
      at.push(i); x.push(t.share[0]); less.push(t.share[0] - t.share[1]); more.push(t.share[2] - t.share[0]);
      ends.push(t.share[2]);
      colour.push(t.badge === "C" ? "#5b6672" : "#0072b2");
      symbol.push(t.badge === "A" ? "circle" : t.badge === "B" ? "circle-open" : "x-thin-open");
      text.push("  " + t.told + " <b>" + t.badge + "</b>");
    });
    var top = data.levels.reduce(function (m, l) { return Math.max(m, l[0] * 1.1); }, 0);
    top = ends.reduce(function (m, v) { return Math.max(m, v); }, top);
    var missing = chosen.map(function (c, i) { return data.trusts[c].share ? null : i; }).filter(function (v) { return v !== null; });
    var layout = {
      height: 100 + 44 * chosen.length, showlegend: false, dragmode: false,
      margin: { t: 50, b: 40, r: 8 },
      meta: { start: 0, end: top, pixels: 74 },
      xaxis: { ticksuffix: "%", showgrid: false, title: { text: (plot.clientWidth < 560 ? "share, " : "share of expenditure, ") + site.escape(data.title) } },
      yaxis: { tickmode: "array", tickvals: names.map(function (_, i) { return i; }), ticktext: names.map(function (n) { return n.length > 26 && !/[&<]/.test(n) ? n.slice(0, 25) + "\u2026" : n; }), range: [chosen.length - 0.5, -0.5], showgrid: false, zeroline: false, fixedrange: true },
      shapes: data.levels.map(function (l) {
        return { type: "line", x0: l[0], x1: l[0], y0: 0, y1: 1, yref: "paper", layer: "below", line: { color: l[2] ? "#d55e00" : "#5b6672", width: l[2] ? 2 : 1, dash: l[2] ? "solid" : "dot" } };
      }),
      annotations: data.levels.map(function (l, i) {
        return { x: l[0], y: 1, yref: "paper", yanchor: "bottom", yshift: l[2] ? 1 : Math.max(27 - 13 * i, 1), text: l[2] ? "<b>" + l[1] + "</b>" : l[1], showarrow: false, font: { color: l[2] ? "#d55e00" : "#5b6672" } };
      }).concat(missing.map(function (i) {
        return { x: 0.02, xref: "paper", xanchor: "left", y: i, text: "no figure", showarrow: false, bgcolor: "#ffffff" };
      })).concat(data.demo ? [{ text: "DEMONSTRATION<br>not real", x: 0.5, y: 0.5, xref: "paper", yref: "paper", showarrow: false, textangle: -12, opacity: 0.16, font: { size: 30, color: "#d55e00" } }] : [])
    };
    var traces = [
      { type: "scatter", mode: "markers", x: x, y: at, marker: { color: colour, symbol: symbol, size: 12, line: { width: 2, color: colour } }, error_x: { type: "data", array: more, arrayminus: less, color: "#5b6672", thickness: 1.4, width: 5 }, hoverinfo: "skip" },
      { type: "scatter", mode: "text", meta: "halo", x: ends, y: at, text: text, textposition: "middle right", hoverinfo: "skip", cliponaxis: false }
    ];
    site.show(plot, { data: traces, layout: layout });
  }

  function update(message) {
    chosen.sort(byName);
    showChips();
    figure.hidden = chosen.length === 0;
    if (chosen.length) { showTable(); showChart(); }
    var left = data.most - chosen.length;
    status.textContent = (message ? message + " " : "") + (chosen.length ? chosen.length + " of " + data.most + " chosen." : "No trust is chosen yet.") + (left === 0 ? " Remove one to add another." : "");
    var hash = chosen.map(encodeURIComponent).join(",");
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? "#" + hash : location.pathname);
  }

  function choose(code) {
    if (chosen.indexOf(code) >= 0) return update(data.trusts[code].name + " is already chosen.");
    if (chosen.length >= data.most) return update("");
    chosen.push(code);
    update(data.trusts[code].name + " added.");
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var code = codeOf(input.value);
    if (code === null) { status.textContent = "No single trust is meant by that: choose one from the list."; return; }
    input.value = "";
    choose(code);
  });
  function fromAddress() {
    chosen = [];
    location.hash.slice(1).split(",").forEach(function (part) {
      var code = "";
      try { code = decodeURIComponent(part); } catch (e) { return; }
      if (known(code) && chosen.indexOf(code) < 0 && chosen.length < data.most) chosen.push(code);
    });
    update("");
  }
  window.addEventListener("hashchange", fromAddress);
  site.onLook(function () { if (chosen.length) showChart(); });
  fromAddress();
})();

// Draws the charts when they come near the screen, in light or dark; saves pictures; finds trusts.
// The figures stand in the pages as JSON without a template: the template is in theme.js, once.
(function () {
  "use strict";
  var look = window.FIVEPERCENT_THEME || { template: {}, dark: {} };
  var darkScreen = window.matchMedia("(prefers-color-scheme: dark)");
  var printing = false;

  // Every colour of a figure that has a dark twin is replaced by it, wherever it stands.
  function recolour(value, pairs) {
    if (typeof value === "string") {
      return pairs[value] || value.replace(/color:(#[0-9a-f]{6})/g, function (all, c) { return pairs[c] ? "color:" + pairs[c] : all; });
    }
    if (Array.isArray(value)) return value.map(function (v) { return recolour(v, pairs); });
    if (value && typeof value === "object") {
      var out = {};
      Object.keys(value).forEach(function (k) { out[k] = recolour(value[k], pairs); });
      return out;
    }
    return value;
  }

  function specOf(id) {
    var node = document.querySelector('script.spec[data-for="' + id + '"]');
    var spec = JSON.parse(node.textContent);
    // What all texts of a row begin with, mostly a name, stands in the page once (see render.py).
    spec.data.forEach(function (trace) {
      var begun = trace.rowBeginnings;
      if (!begun) return;
      delete trace.rowBeginnings;
      trace.hovertext = trace.hovertext.map(function (row, i) {
        return row.map(function (rest) { return begun[i] + rest; });
      });
    });
    return spec;
  }

  // Room for the labels right of the marks, for the width there is (see theme.reserve_for_labels).
  function reserve(layout, width) {
    var meta = layout.meta;
    if (!meta || !meta.pixels || !layout.xaxis) return;
    var plot = Math.max(width - 165, 120), span = meta.end - meta.start;
    layout.xaxis.range = [meta.start, meta.start + span * plot / Math.max(plot - meta.pixels, plot * 0.35)];
  }

  // A map keeps its shape, so on a narrow screen it needs less height and smaller letters.
  function shrinkMap(spec, div) {
    var meta = spec.layout.meta;
    if (!meta || !meta.wide) return;
    var unit = (div.clientWidth - 8) / meta.wide, needed = Math.round(84 + unit * meta.tall);
    if (needed >= spec.layout.height) return;
    spec.layout.height = needed;
    div.style.height = needed + "px";
    spec.data.forEach(function (trace) {
      if (trace.mode === "text") trace.textfont = Object.assign({}, trace.textfont, { size: Math.max(7, Math.min(10, unit / 5.2)) });
    });
  }

  function narrow(layout, width) {
    if (width >= 560) return layout;
    layout.font = Object.assign({}, layout.font, { size: 12 });
    ["xaxis", "yaxis"].forEach(function (a) {
      layout[a] = Object.assign({}, layout[a]);
      layout[a].tickfont = Object.assign({}, layout[a].tickfont, { size: 11 });
    });
    if (layout.xaxis && !layout.xaxis.tickvals) layout.xaxis.nticks = Math.min(layout.xaxis.nticks || 5, 5);
    var x = layout.xaxis;
    // Every second tick, counted from nought, until the words have room.
    while (x && x.ticktext && x.ticktext.length > 2 && layout.meta && layout.meta.pixels) {
      var plot = Math.max(width - 165, 120), free = Math.max(plot - layout.meta.pixels, plot * 0.35);
      if (free / (x.ticktext.length - 1) >= 46) break;
      var zero = Math.max(x.tickvals.indexOf(0), 0) % 2;
      var keep = function (_, i) { return i % 2 === zero; };
      x.tickvals = x.tickvals.filter(keep);
      x.ticktext = x.ticktext.filter(keep);
    }
    // Years with their n below: every second one, counted from the last.
    if (x && x.ticktext && x.ticktext.length > 5 && /<br>/.test(x.ticktext[0])) {
      var last = (x.ticktext.length - 1) % 2;
      var second = function (_, i) { return i % 2 === last; };
      x.tickvals = x.tickvals.filter(second);
      x.ticktext = x.ticktext.filter(second);
    }
    if (layout.meta && layout.meta.tilt) Object.assign(layout.xaxis, { tickangle: -90, dtick: 1, nticks: 0 });
    var y = layout.yaxis;
    if (y && y.ticktext) y.ticktext = y.ticktext.map(shorten);
    return layout;
  }

  // One-line names for a telephone; wrapped, bold or escaped labels are left alone.
  function shorten(text) {
    if (/[<&]/.test(text) || text.length <= 24) return text;
    var cut = text.replace(/University Hospitals?/, "UH").replace("University", "Uni.").replace(/Hospitals?/, "Hosp.").replace(" and ", " & ").replace("Community", "Comm.").replace("Partnership", "P'ship");
    cut = cut.length > 24 ? cut.slice(0, 23) + "\u2026" : cut;
    return cut.replace(/&/g, "&amp;");
  }

  // Upright headings of a narrow map: one line each, or the lines of one lie on those of the next.
  function oneLineHeadings(spec, div) {
    var more = 150 - spec.layout.margin.t;
    spec.data.forEach(function (t) { if (t.type === "heatmap") t.x = t.x.map(function (name) { return name.replace(/<br>/g, " "); }); });
    spec.layout.margin = Object.assign({}, spec.layout.margin, { t: spec.layout.margin.t + more });
    spec.layout.height += more;
    div.style.height = spec.layout.height + "px";
  }

  // Plotly makes "trace" and the uid a class, by which site.css and edged() know labels with an edge.
  function nameEdges(traces) {
    traces.forEach(function (t, i) { if (t.meta === "halo") t.uid = "halo" + i; });
  }

  function show(div, spec) {
    if (typeof Plotly === "undefined") return;
    spec.layout.template = look.template;
    if (darkScreen.matches && !printing) spec = recolour(spec, look.dark);
    shrinkMap(spec, div);
    narrow(spec.layout, div.clientWidth);
    if (div.clientWidth < 560 && spec.layout.meta && spec.layout.meta.dropText) {
      spec.data.forEach(function (t) { if (t.mode === "markers+text") t.mode = "markers"; });
    }
    // Cells of a narrow heat map have room for a dash, not for a number; the table has the numbers.
    if (div.clientWidth < 560 && spec.layout.meta && spec.layout.meta.dropCells) {
      spec.data.forEach(function (t) { if (t.type === "heatmap") t.text = t.text.map(function (row) { return row.map(function (c) { return c === "\u2013" ? c : ""; }); }); });
      Object.assign(spec.layout.xaxis, { tickangle: -90 });
    }
    if (div.clientWidth < 560 && spec.layout.meta && spec.layout.meta.tilt) oneLineHeadings(spec, div);
    reserve(spec.layout, div.clientWidth);
    nameEdges(spec.data);
    Plotly.react(div, spec.data, spec.layout, {
      responsive: true, displayModeBar: false, displaylogo: false, scrollZoom: false, doubleClick: false
    });
  }

  function draw(div) {
    if (typeof Plotly === "undefined") return;
    var waiting = div.querySelector(".waiting");
    if (waiting) waiting.remove();
    show(div, specOf(div.id));
    div.setAttribute("data-drawn", "true");
  }

  function escape(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  function wrap(text, width) {
    var lines = [], line = "";
    text.split(/\s+/).forEach(function (word) {
      if (line && (line + " " + word).length > width) { lines.push(line); line = word; }
      else line = line ? line + " " + word : word;
    });
    if (line) lines.push(line);
    return lines.map(escape);
  }

  // What is measured, in short: the names of the definitions, or the first sentence.
  function inShort(text) {
    var named = text.match(/\bD\d: [^.]*\./g);
    return named ? named.join(" ") : text.split(/\.\s/)[0].replace(/\.?$/, ".");
  }

  // The line under a saved picture, from the notes that stand under the chart.
  function footOf(figure) {
    var said = {}, write = {
      "Definition": inShort,
      "Divided by": function (text) { return "Divided by: " + inShort(text); },
      "Source": function (text) { return "Source: " + text; }
    };
    figure.querySelectorAll(".notes dt").forEach(function (term) {
      said[term.textContent] = term.nextElementSibling.textContent;
    });
    return ["Definition", "Divided by", "Source", "Coverage", "Careful", "Licence"].filter(function (term) { return said[term]; })
      .map(function (term) { return write[term] ? write[term](said[term]) : said[term]; }).join(" ");
  }

  // A saved picture carries its finding, how to read it, definition, source, coverage and licence.
  function save(id, format) {
    var div = document.getElementById(id);
    var spec = specOf(id), layout = spec.layout;
    layout.template = look.template;
    var margin = Object.assign({ t: 40, b: 40, l: 8, r: 16 }, layout.margin);
    var finding = document.getElementById("title-" + id).textContent;
    var whole = document.getElementById("figure-" + id), words = whole.querySelector(".subtitle");
    var title = wrap(finding, 84), how = wrap(words ? words.textContent : "", 120), foot = wrap(footOf(whole), 130);
    var more = 26 * title.length + 17 * how.length + 22, below = 15 * foot.length + 20;
    // Plotly sets the first of several lines by its foot, a single one by its head.
    layout.title = { text: "<b>" + title.join("<br>") + "</b>", x: 0, xref: "container", y: 1, yref: "container", yanchor: "top", pad: { t: title.length > 1 ? 24 : 12, l: 12 } };
    if (how.length) layout.title.subtitle = { text: how.join("<br>"), font: { size: 13, color: "#5b6672" } };
    layout.annotations = (layout.annotations || []).concat([{
      text: foot.join("<br>"), x: 0, xref: "paper", xanchor: "left", y: 0, yref: "paper", yanchor: "top",
      yshift: -margin.b, align: "left", showarrow: false, font: { size: 11, color: "#5b6672" }
    }]);
    layout.margin = Object.assign(margin, { t: margin.t + more, b: margin.b + below });
    layout.height = (layout.height || 400) + more + below;
    layout.width = 1000;
    nameEdges(spec.data);
    var size = { format: "svg", width: layout.width, height: layout.height, imageDataOnly: true };
    return Plotly.toImage({ data: spec.data, layout: layout }, size).then(function (svg) {
      deliver(edged(svg), size, format, "fivepercent-" + id + "." + format);
    });
  }

  // The edge of a label as a copy below it: not every program that opens an SVG knows paint-order.
  function edged(svg) {
    var picture = new DOMParser().parseFromString(svg, "image/svg+xml");
    picture.querySelectorAll("[class*=tracehalo] text").forEach(function (text) {
      var edge = text.cloneNode(true);
      [edge].concat(Array.prototype.slice.call(edge.querySelectorAll("*"))).forEach(function (part) {
        Object.assign(part.style, { fill: "#ffffff", stroke: "#ffffff", strokeWidth: "5px", strokeLinejoin: "round" });
      });
      edge.setAttribute("aria-hidden", "true");
      text.parentNode.insertBefore(edge, text);
    });
    return new XMLSerializer().serializeToString(picture);
  }

  function deliver(svg, size, format, name) {
    if (format === "svg") return hand(new Blob([svg], { type: "image/svg+xml" }), name);
    var picture = new Image(), canvas = document.createElement("canvas");
    canvas.width = 2 * size.width;
    canvas.height = 2 * size.height;
    picture.onload = function () {
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(function (blob) { hand(blob, name); }, "image/png");
    };
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  }

  function hand(blob, name) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    window.setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }

  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  function drawInView() {
    if (!("IntersectionObserver" in window)) { plots.forEach(draw); return; }
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); }
      });
    }, { rootMargin: "600px 0px" });
    plots.forEach(function (p) { watcher.observe(p); });
  }
  var others = [];
  // What other scripts of the site need: drawing in the theme, escaping, and news of a new look.
  window.FIVEPERCENT = { show: show, escape: escape, onLook: function (f) { others.push(f); } };
  function redraw() {
    others.forEach(function (f) { f(); });
    plots.forEach(function (p) { if (p.getAttribute("data-drawn")) draw(p); });
  }
  if (darkScreen.addEventListener) darkScreen.addEventListener("change", redraw);
  // The chart library is large: where there are charts, it comes when all else of the page answers already.
  var library = document.createElement("script");
  library.src = document.currentScript.src.replace(/[^/]*$/, "plotly.min.js");
  library.addEventListener("load", function () { drawInView(); redraw(); });
  if (document.querySelector(".plot, .compare-plot")) {
    document.addEventListener("DOMContentLoaded", function () { document.head.appendChild(library); });
  }
  // What a link leads to is opened, and what belongs on paper.
  function unfold() {
    var target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch (e) { return; }
    if (!target) return;
    var fold = target.closest("details") || target.querySelector("details:not(figure details)");
    if (!fold || (fold !== target.closest("details") && target.tagName !== "SECTION")) return;
    fold.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  unfold();
  window.addEventListener("beforeprint", function () {
    printing = true;
    document.querySelectorAll("details.printed").forEach(function (d) { d.open = true; });
    plots.forEach(draw);
  });
  window.addEventListener("afterprint", function () { printing = false; redraw(); });
  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("button[data-save]") : null;
    if (!button) return;
    var saved = function () { save(button.getAttribute("data-of"), button.getAttribute("data-save")); };
    if (typeof Plotly === "undefined") library.addEventListener("load", saved); else saved();
  });

  // Search: every word must occur in the code, the name, a former name or the board.
  var form = document.querySelector("form[data-search]");
  var entries = window.FIVEPERCENT_SEARCH || [];
  if (form && entries.length) {
    var input = form.querySelector("input"), list = form.querySelector(".hits"), status = form.querySelector("[role=status]");
    var MOST = 12;
    var find = function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      list.textContent = "";
      if (!words.length) { status.textContent = ""; return []; }
      var code = input.value.trim().toUpperCase();
      var hits = entries.filter(function (e) {
        return words.every(function (w) { return e[2].indexOf(w) >= 0; });
      });
      hits.sort(function (a, b) { return (b[0] === code) - (a[0] === code); });
      hits.slice(0, MOST).forEach(function (e) {
        var item = document.createElement("li"), link = document.createElement("a");
        link.href = "trusts/" + encodeURIComponent(e[3]) + ".html";
        link.textContent = e[1] + " (" + e[0] + ")" + (e[4] ? ", " + e[4] : "");
        item.appendChild(link);
        list.appendChild(item);
      });
      status.textContent = hits.length === 0 ? "No trust found." :
        hits.length + (hits.length === 1 ? " trust found" : " trusts found") + (hits.length > MOST ? ", the first " + MOST + " are listed." : ".");
      return hits;
    };
    input.addEventListener("input", find);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (find().length) list.querySelector("a").focus();
    });
  }
})();

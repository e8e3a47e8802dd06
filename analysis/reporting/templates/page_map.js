/* Draws every map of the page that is not drawn yet: points on a canvas, a choice of colours, the row under the pointer. */
(() => {
  "use strict";
  const element = (parent, name, text = "", style = "") => {
    const made = document.createElement(name);
    made.textContent = text; // texts of rows are text, whatever they hold
    made.style.cssText = style;
    return parent.appendChild(made);
  };
  const between = (low, value, high) => Math.max(low, Math.min(high, value));

  function start(box) {
    const data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    const parts = ["select", "canvas", ".page-map-legend", ".page-map-row"];
    const [select, canvas, legend, told] = parts.map((name) => box.querySelector(name));
    const pen = canvas.getContext("2d");
    const chosen = new Set(data.chosen);
    const order = [...data.x.keys()];
    const dot = between(1.8, 90 / Math.sqrt(order.length), 4); // pixels
    const range = (all) => Math.max(data.side / 20, Math.max(...all) - Math.min(...all)) / data.side;
    const [wide, high] = [range(data.x), range(data.y)];
    const view = { zoom: 1, x: 0, y: 0 }; // x and y: pixels by which the picture is moved
    const fingers = new Map();
    let colour, width, height, near = -1, moved = 0, asked = 0;

    const placeOf = (point) => {
      const side = Math.min((width - 24) / wide, (height - 24) / high) * view.zoom; // the same in both directions
      return [width / 2 + view.x + (data.x[point] / data.side - 0.5) * side,
        height / 2 + view.y - (data.y[point] / data.side - 0.5) * side];
    };
    const colourOf = (point) => {
      const value = colour.values[point];
      if (value === null || colour.names) return value === null ? data.missing : colour.colours[value];
      const [low, high] = colour.limits, last = colour.colours.length - 1;
      return colour.colours[Math.round(between(0, (value - low) / (high - low), 1) * last)];
    };
    const circle = (x, y, radius, line = 0.7) => {
      pen.lineWidth = line;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
    };
    function draw() {
      asked = 0;
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, width, height);
      const radius = dot * (width < 500 ? 0.8 : 1) * view.zoom ** 0.3;
      for (const point of order) {
        const [x, y] = placeOf(point);
        if (Math.min(x, y, width - x, height - y) < -9) continue;
        pen.fillStyle = colourOf(point);
        circle(x, y, chosen.has(point) ? radius * 1.5 : radius);
        pen.fill();
        if (chosen.has(point)) pen.stroke();
      }
      if (near >= 0) circle(...placeOf(near), radius + 5, 2), pen.stroke();
    }
    const on = (name, then, how) => canvas.addEventListener(name, then, how);
    const redraw = () => { asked ||= requestAnimationFrame(draw); };

    function fit() {
      [width, height] = [canvas.clientWidth, canvas.clientHeight];
      const scale = window.devicePixelRatio || 1;
      [canvas.width, canvas.height] = [width * scale, height * scale].map(Math.round);
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      if (width) draw();
    }

    function recolour() {
      colour = data.colours[select.selectedIndex];
      const rank = (point) => 2 * chosen.has(point) + (colourOf(point) !== data.missing);
      order.sort((a, b) => rank(a) - rank(b) || a - b); // grey below, chosen rows on top
      legend.replaceChildren();
      const swatch = (name, ground) => element(element(legend, "span"), "i", "", `background:${ground}`).after(name);
      if (colour.names) colour.names.forEach((name, place) => swatch(name, colour.colours[place]));
      else {
        const scale = `background:linear-gradient(90deg,${colour.colours.join()})`;
        element(element(legend, "span", colour.ends[0]), "b", "", scale).after(colour.ends[1]);
      }
      if (colour.values.includes(null)) swatch("no value", data.missing);
      redraw();
    }

    function zoom(factor, x = width / 2, y = height / 2) {
      const before = view.zoom;
      view.zoom = between(1, before * factor, 40);
      const [right, down] = [x - width / 2, y - height / 2], kept = view.zoom / before; // the place under the pointer stays
      [view.x, view.y] = view.zoom === 1 ? [0, 0] : [right - (right - view.x) * kept, down - (down - view.y) * kept];
      canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y"; // one finger scrolls the page past the whole map
      tell(-1);
    }

    function tell(point) {
      near = point;
      told.hidden = point < 0;
      if (point >= 0) {
        const [x, y] = placeOf(point);
        told.replaceChildren();
        ["strong", "p", "p"].forEach((name, place) => element(told, name, data.rows[point][place]));
        told.style.left = `${between(0, x + 14, width - told.offsetWidth)}px`;
        told.style.top = y < height / 2 ? `${y + 16}px` : "auto";
        told.style.bottom = y < height / 2 ? "auto" : `${height - y + 16}px`;
      }
      redraw();
    }

    function nearest(x, y) {
      let found = -1, least = 20 ** 2;
      for (const point of order) {
        const [left, top] = placeOf(point), distance = (left - x) ** 2 + (top - y) ** 2;
        if (distance <= least) [found, least] = [point, distance];
      }
      return found;
    }

    on("pointerdown", (event) => {
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
      if (fingers.size === 1) moved = 0;
      canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      const now = [event.offsetX, event.offsetY], before = fingers.get(event.pointerId);
      if (!before) return tell(nearest(...now));
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      const apart = (from) => Math.max(1, Math.hypot(from[0] - other[0], from[1] - other[1]));
      if (other) zoom(apart(now) / apart(before), ...other);
      else if (view.zoom > 1) [view.x, view.y] = [view.x + now[0] - before[0], view.y + now[1] - before[1]];
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      fingers.set(event.pointerId, now);
      if (view.zoom > 1) tell(-1);
    });
    on("pointerup", (event) => {
      fingers.delete(event.pointerId);
      if (moved < 8) tell(nearest(event.offsetX, event.offsetY));
    });
    on("pointercancel", (event) => fingers.delete(event.pointerId));
    on("pointerleave", (event) => event.pointerType === "mouse" && tell(-1));
    on("wheel", (event) => {
      if (!event.ctrlKey && view.zoom === 1) return; // the wheel scrolls the page past the whole map
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    }, { passive: false });
    box.querySelectorAll("button").forEach((one) => one.addEventListener("click", () => zoom(Number(one.value))));
    data.colours.forEach((one) => element(select, "option", one.name));
    select.addEventListener("change", recolour);
    box.classList.add("drawn");
    recolour();
    new ResizeObserver(fit).observe(canvas);
  }
  document.querySelectorAll(".page-map:not(.drawn)").forEach(start);
})();

// Pointer, wheel, touch and keys on a pane.

import { Viewport } from "./viewport.js";

export const tools = {
  window: { label: "Window", key: "w", help: "Drag: window width and level" },
  pan: { label: "Pan", key: "p", help: "Drag: move the image" },
  zoom: { label: "Zoom", key: "z", help: "Drag: enlarge" },
  scroll: { label: "Scroll", key: "s", help: "Drag: through the images" },
  length: { label: "Length", key: "l", help: "Drag: measure a length" },
  angle: { label: "Angle", key: "a", help: "Drag the first side, then click the end of the second" },
  ellipse: { label: "Ellipse", key: "e", help: "Drag: mean and deviation in an ellipse" },
  rectangle: { label: "Rectangle", key: "t", help: "Drag: mean and deviation in a rectangle" },
  probe: { label: "Probe", key: "b", help: "Click: the value of a pixel" },
};

/** Lets people work on a pane. `state` is {tool}; a second button or finger pans and zooms whatever the tool. */
export function attach(pane, state) {
  const element = pane.element;
  const pointers = new Map();
  let gesture, drawing, pinch;
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  element.addEventListener("contextmenu", (event) => event.preventDefault());
  element.addEventListener("pointerdown", (event) => {
    element.focus();
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (!pane.image) return;
    gesture = { id: Symbol("gesture"), tool: toolOf(event), from: place(event), last: place(event), index: pane.index };
    if (pointers.size === 2) {
      pinch = spread(pointers);
      if (drawing) pane.undo();
      drawing = undefined;
      gesture.tool = undefined;
      return;
    }
    const open = pane.annotations.at(-1);
    if (open && !Viewport.isWhole(open)) {
      pane.change(() => open.points.push(pane.toImage(gesture.from)));
      gesture.tool = undefined;
    } else if (["length", "angle", "ellipse", "rectangle", "probe"].includes(gesture.tool)) {
      drawing = pane.addAnnotation(gesture.tool, pane.toImage(gesture.from));
    }
  });
  element.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId) || !gesture) return;
    const now = place(event);
    pointers.set(event.pointerId, now);
    if (pointers.size >= 2) return pinched();
    const [dx, dy] = [now[0] - gesture.last[0], now[1] - gesture.last[1]];
    if (drawing) {
      drawing.points[drawing.points.length - 1] = pane.toImage(now);
      pane.draw();
    } else if (gesture.tool === "window") adjustWindow(dx, dy);
    else if (gesture.tool === "pan") pane.change(() => { pane.view.pan = [pane.view.pan[0] + dx, pane.view.pan[1] + dy]; }, gesture.id);
    else if (gesture.tool === "zoom") zoom(Math.exp(-dy / 150), gesture.from, gesture.id);
    else if (gesture.tool === "scroll") {
      const step = Math.max(2, element.clientHeight / Math.max(1, pane.stack.length));
      pane.scrollTo(gesture.index + Math.round((now[1] - gesture.from[1]) / step));
    }
    gesture.last = now;
  });
  for (const type of ["pointerup", "pointercancel"]) {
    element.addEventListener(type, (event) => {
      pointers.delete(event.pointerId);
      pinch = undefined;
      if (pointers.size > 0) return;
      // A click where a drag was meant leaves nothing.
      if (drawing && drawing.kind !== "probe") {
        const [a, b] = drawing.points;
        if (Math.hypot(a[0] - b[0], a[1] - b[1]) < 1) pane.undo();
      }
      const last = pane.annotations.at(-1);
      if (last && gesture && Viewport.isWhole(last)) {
        pane.dispatchEvent(new CustomEvent("measured", { detail: pane.measure(last).join(", ") }));
      }
      gesture = drawing = undefined;
      pane.draw();
    });
  }
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 300), place(event), Symbol("wheel"));
    else if (event.deltaY !== 0) pane.scrollTo(pane.index + Math.sign(event.deltaY));
  }, { passive: false });

  function toolOf(event) {
    if (event.pointerType === "mouse" && event.button === 1) return "pan";
    if (event.pointerType === "mouse" && event.button === 2) return "zoom";
    return state.tool;
  }

  function adjustWindow(dx, dy) {
    if (!pane.window) return;
    const step = Math.max(1, pane.window.width) / 300;
    pane.change(() => {
      pane.window = {
        ...pane.window, width: Math.max(1, pane.window.width + dx * step), center: pane.window.center + dy * step,
      };
    }, gesture.id);
  }

  function zoom(factor, around, id) {
    pane.change(() => {
      const before = pane.view.zoom;
      pane.view.zoom = Math.max(0.1, Math.min(pane.zoomMax, before * factor));
      const real = pane.view.zoom / before;
      const middle = [element.clientWidth / 2, element.clientHeight / 2];
      pane.view.pan = pane.view.pan.map((value, axis) => {
        const offset = around[axis] - middle[axis];
        return offset - (offset - value) * real;
      });
    }, id);
  }

  function spread(pointers) {
    const [a, b] = [...pointers.values()];
    return { distance: Math.hypot(b[0] - a[0], b[1] - a[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  }

  function pinched() {
    const now = spread(pointers);
    if (pinch && pinch.distance > 0) {
      // Around where the fingers were; then along with them.
      zoom(now.distance / pinch.distance, pinch.middle, gesture.id);
      const move = [now.middle[0] - pinch.middle[0], now.middle[1] - pinch.middle[1]];
      pane.change(() => { pane.view.pan = pane.view.pan.map((value, axis) => value + move[axis]); }, gesture.id);
    }
    pinch = now;
  }
}

/** What a key does on a pane; false where nothing. */
export function pressed(event, pane, actions) {
  if (event.target.matches("input, select, textarea") || event.altKey) return false;
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "z") pane.undo();
    else if (event.key === "y" || event.key === "Z") pane.redo();
    else return false;
    return true;
  }
  const page = Math.max(1, Math.round(pane.stack.length / 10));
  const moves = {
    ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: page, PageUp: -page,
    Home: -pane.stack.length, End: pane.stack.length,
  };
  if (event.key in moves) {
    // Arrows within toolbars and lists stay theirs.
    if (!event.target.closest(".pane") && event.target !== document.body) return false;
    pane.scrollTo(pane.index + moves[event.key]);
    return true;
  }
  const action = actions[event.key];
  if (!action) return false;
  action();
  return true;
}

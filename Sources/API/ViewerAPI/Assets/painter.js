// Drawing an image: 16 bits windowed on the GPU by WebGL2, or on the processor where there is none.

import { windowed } from "./pixels.js";

const vertexSource = `#version 300 es
uniform vec2 size;
uniform vec2 screen;
uniform vec3 columnX, columnY;
in vec2 corner;
out vec2 place;
void main() {
  place = corner * size;
  vec2 at = vec2(dot(columnX, vec3(place, 1.0)), dot(columnY, vec3(place, 1.0)));
  gl_Position = vec4(at.x / screen.x * 2.0 - 1.0, 1.0 - at.y / screen.y * 2.0, 0.0, 1.0);
}`;

const fragmentSource = (sampler, colour) => `#version 300 es
precision highp float;
precision highp int;
precision highp ${sampler};
uniform ${sampler} image;
uniform vec2 size;
uniform float slope, intercept, center, width;
uniform int shape, isInverse, isSmooth;
in vec2 place;
out vec4 colour;
vec4 at(ivec2 index) {
  return vec4(texelFetch(image, clamp(index, ivec2(0), ivec2(size) - 1), 0));
}
vec4 sampled() {
  if (isSmooth == 0) return at(ivec2(place));
  vec2 shifted = place - 0.5;
  ivec2 index = ivec2(floor(shifted));
  vec2 part = shifted - vec2(index);
  vec4 upper = mix(at(index), at(index + ivec2(1, 0)), part.x);
  vec4 lower = mix(at(index + ivec2(0, 1)), at(index + ivec2(1, 1)), part.x);
  return mix(upper, lower, part.y);
}
void main() {
  vec4 raw = sampled();
${colour
    ? "  colour = vec4(isInverse == 1 ? 1.0 - raw.rgb : raw.rgb, 1.0);"
    : `  float value = raw.r * slope + intercept;
  float grey;
  if (shape == 2) grey = 1.0 / (1.0 + exp(-4.0 * (value - center) / width));
  else if (shape == 1) grey = (value - center) / width + 0.5;
  else if (width <= 1.0) grey = value <= center - 0.5 ? 0.0 : 1.0;
  else grey = (value - (center - 0.5)) / (width - 1.0) + 0.5;
  grey = clamp(grey, 0.0, 1.0);
  if (isInverse == 1) grey = 1.0 - grey;
  colour = vec4(vec3(grey), 1.0);`}
}`;

const shapes = { LINEAR: 0, LINEAR_EXACT: 1, SIGMOID: 2 };

/** Draws onto a canvas. Images are {samples} or {bitmap}; `scene` is {image, rows, columns, slope, intercept, window,
 * isInverse, isSmooth, map}, where `map` leads from the image to the canvas in its own pixels. */
export class Painter {
  static make(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    return gl ? new GPUPainter(gl) : new ProcessorPainter(canvas.getContext("2d"));
  }
}

class GPUPainter {
  #gl;
  #programs = {};
  #texture;
  #kind;  // format and size of the texture
  #shown;  // the image that is in it

  constructor(gl) {
    this.#gl = gl;
    this.name = "gpu";
    this.sizeMax = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    gl.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    gl.canvas.addEventListener("webglcontextrestored", () => {
      this.#programs = {};
      this.#texture = this.#kind = this.#shown = undefined;
      gl.canvas.dispatchEvent(new Event("repaint"));
    });
  }

  #program(sampler, isColour) {
    const key = `${sampler} ${isColour}`;
    const kept = this.#programs[key];
    if (kept) return kept;
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource(sampler, isColour)]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "corner");
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("The image cannot be drawn by this device.");
    const names = ["size", "screen", "columnX", "columnY", "slope", "intercept", "center", "width", "shape", "isInverse", "isSmooth"];
    const places = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    const layout = gl.createVertexArray();
    gl.bindVertexArray(layout);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    return (this.#programs[key] = { program, places, layout });
  }

  #upload({ image, rows, columns }) {
    if (this.#shown === image) return;
    const gl = this.#gl;
    const [wide, tall] = image.bitmap ? [image.bitmap.width, image.bitmap.height] : [columns, rows];
    const [format, parts, type] = image.bitmap ? [gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE] : {
      Int16Array: [gl.R16I, gl.RED_INTEGER, gl.SHORT], Uint16Array: [gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT],
      Int8Array: [gl.R8I, gl.RED_INTEGER, gl.BYTE], Uint8Array: [gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE],
      Float32Array: [gl.R32F, gl.RED, gl.FLOAT],
    }[image.samples.constructor.name];
    // The images of a series are alike: while they are scrolled through, one texture is filled anew.
    const kind = `${format} ${wide} ${tall}`;
    if (this.#kind !== kind) this.#makeTexture(kind, format, wide, tall);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, wide, tall, parts, type, image.bitmap ?? image.samples);
    this.#shown = image;
  }

  #makeTexture(kind, format, wide, tall) {
    const gl = this.#gl;
    if (this.#texture) gl.deleteTexture(this.#texture);
    this.#texture = gl.createTexture();
    this.#kind = kind;
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, wide, tall);
  }

  clear() {
    const gl = this.#gl;
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  paint(scene) {
    const gl = this.#gl;
    this.clear();
    const { image, map, window } = scene;
    const isColour = Boolean(image.bitmap);
    const kind = isColour ? "Float" : image.samples.constructor.name;
    const sampler = kind.startsWith("Float") ? "sampler2D" : kind.startsWith("Int") ? "isampler2D" : "usampler2D";
    const { program, places, layout } = this.#program(sampler, isColour);
    gl.useProgram(program);
    gl.bindVertexArray(layout);
    gl.activeTexture(gl.TEXTURE0);
    this.#upload(scene);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.uniform2f(places.size, scene.columns, scene.rows);
    gl.uniform2f(places.screen, gl.canvas.width, gl.canvas.height);
    gl.uniform3f(places.columnX, map.a, map.c, map.e);
    gl.uniform3f(places.columnY, map.b, map.d, map.f);
    gl.uniform1i(places.isInverse, scene.isInverse ? 1 : 0);
    gl.uniform1i(places.isSmooth, scene.isSmooth ? 1 : 0);
    if (!isColour) {
      gl.uniform1f(places.slope, scene.slope);
      gl.uniform1f(places.intercept, scene.intercept);
      gl.uniform1f(places.center, window.center);
      gl.uniform1f(places.width, window.width);
      gl.uniform1i(places.shape, shapes[window.shape] ?? 0);
    }
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}

class ProcessorPainter {
  #context;
  #shown;

  constructor(context) {
    this.#context = context;
    this.name = "processor";
    this.sizeMax = 16384;
  }

  clear() {
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, this.#context.canvas.width, this.#context.canvas.height);
  }

  paint(scene) {
    this.clear();
    const { map } = scene;
    this.#context.setTransform(map.a, map.b, map.c, map.d, map.e, map.f);
    this.#context.imageSmoothingEnabled = scene.isSmooth;
    this.#context.drawImage(scene.image.bitmap ?? this.#grey(scene), 0, 0, scene.columns, scene.rows);
  }

  #grey(scene) {
    const { image, window, slope, intercept, isInverse } = scene;
    const kept = this.#shown;
    if (kept?.image === image && kept.window === window && kept.isInverse === isInverse) return kept.canvas;
    const canvas = new OffscreenCanvas(scene.columns, scene.rows);
    const context = canvas.getContext("2d");
    const data = context.createImageData(scene.columns, scene.rows);
    const table = new Map();
    for (let index = 0; index < image.samples.length; index += 1) {
      const sample = image.samples[index];
      let grey = table.get(sample);
      if (grey === undefined) {
        const share = windowed(sample * slope + intercept, window);
        grey = Math.round(255 * (isInverse ? 1 - share : share));
        table.set(sample, grey);
      }
      data.data.set([grey, grey, grey, 255], 4 * index);
    }
    context.putImageData(data, 0, 0);
    this.#shown = { image, window, isInverse, canvas };
    return canvas;
  }
}

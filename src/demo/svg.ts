/** SVG as strings. Coordinates are rounded: a hundredth of a unit is below what a picture shows. */

export type Attributes = Readonly<Record<string, string | number>>;

export function element(tag: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${round(value)}"`);
  return `<${tag}${written.join("")}>${content}</${tag}>`;
}

export function group(attributes: Attributes, ...content: readonly string[]): string {
  return element("g", attributes, content.join(""));
}

export function path(d: string, attributes: Attributes): string {
  return element("path", { d, ...attributes });
}

export function circle(cx: number, cy: number, r: number, attributes: Attributes): string {
  return element("circle", { cx, cy, r, ...attributes });
}

export function ellipse(cx: number, cy: number, rx: number, ry: number, attributes: Attributes): string {
  return element("ellipse", { cx, cy, rx, ry, ...attributes });
}

/** By its upper left corner; `rx` among the attributes rounds the corners. */
export function rectangle(x: number, y: number, width: number, height: number, attributes: Attributes): string {
  return element("rect", { x, y, width, height, ...attributes });
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element("line", { x1, y1, x2, y2, ...attributes });
}

export type Point = readonly [x: number, y: number];

export function polygon(points: readonly Point[], attributes: Attributes): string {
  return element("polygon", { points: points.map((point) => point.map(round).join(",")).join(" "), ...attributes });
}

/** `count` points on a circle around the origin, clockwise from the top. */
export function around(count: number, radius: number, turn = 0): readonly Point[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = 2 * Math.PI * (i / count + turn);
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });
}

/** A gradient along one direction; `angle` in degrees. */
export function gradient(id: string, angle: number, stops: readonly string[]): string {
  const content = stops.map((colour, i) =>
    element("stop", { offset: i / Math.max(1, stops.length - 1), "stop-color": colour }),
  );
  return element("linearGradient", { id, gradientTransform: `rotate(${round(angle)} 0.5 0.5)` }, content.join(""));
}

function round(value: string | number): string | number {
  return typeof value === "number" ? Math.round(value * 100) / 100 : value;
}

const SIZE = 320;

/** A picture to begin with: sky, sun, hills and a house, with edges of all directions and every colour. */
export function samplePicture(): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE;
  const draw = canvas.getContext("2d");
  if (draw === null) return Promise.reject(new Error("this browser can't draw"));
  const sky = draw.createLinearGradient(0, 0, 0, SIZE);
  sky.addColorStop(0, "#3b7dd8");
  sky.addColorStop(0.65, "#cfe6ff");
  draw.fillStyle = sky;
  draw.fillRect(0, 0, SIZE, SIZE);
  disc(draw, 245, 70, 34, "#ffd84a");
  hill(draw, 90, 250, 190, "#5d9b4e");
  hill(draw, 270, 265, 170, "#3f7d3a");
  draw.fillStyle = "#e9dcc3";
  draw.fillRect(92, 178, 96, 84);
  polygon(draw, "#a43b2c", [
    [82, 180],
    [140, 130],
    [198, 180],
  ]);
  draw.fillStyle = "#5a3a22";
  draw.fillRect(130, 218, 22, 44);
  draw.fillStyle = "#3c5d86";
  for (const x of [102, 160]) draw.fillRect(x, 194, 20, 18);
  for (let x = 0; x < SIZE; x += 22) {
    draw.fillStyle = (x / 22) % 2 === 0 ? "#f4f1ea" : "#d8d2c4";
    draw.fillRect(x, 286, 14, 30);
  }
  for (const [x, y, colour] of [
    [34, 272, "#d9349b"],
    [62, 278, "#f08a24"],
    [226, 274, "#8a3fd1"],
    [286, 270, "#e63946"],
  ] as const)
    disc(draw, x, y, 9, colour);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error("this browser can't draw")) : resolve(blob)),
      "image/png",
    ),
  );
}

function disc(draw: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  draw.fillStyle = colour;
  draw.beginPath();
  draw.arc(x, y, radius, 0, 2 * Math.PI);
  draw.fill();
}

function hill(draw: CanvasRenderingContext2D, x: number, top: number, radius: number, colour: string): void {
  disc(draw, x, top + radius - 20, radius, colour);
}

function polygon(draw: CanvasRenderingContext2D, colour: string, points: readonly (readonly [number, number])[]): void {
  draw.fillStyle = colour;
  draw.beginPath();
  for (const [x, y] of points) draw.lineTo(x, y);
  draw.fill();
}

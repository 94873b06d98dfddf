/** Runs in the reader's browser: gives images their sources, shows a chosen cell's pictures, sorts tables. */
export const script = `
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const sources = read("pictures");
const cells = read("cells");

const fill = (root) => {
  for (const image of root.querySelectorAll("img[data-picture]")) image.src = sources[image.dataset.picture];
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const figure = (picture) => {
  const image = element("img", { alt: picture.file, title: picture.file, width: 112, height: 112 });
  image.dataset.picture = picture.id;
  const verdict = element("span", { className: picture.correct ? "right" : "wrong" }, picture.predicted);
  const caption = element("figcaption", {}, verdict, " " + picture.confidence);
  if (!picture.correct)
    caption.append(element("br"), "is " + picture.label + ", " + picture.labelProbability);
  return element("li", {}, element("figure", {}, image, caption));
};

const showCell = (button) => {
  const { title, count, pictures } = cells[button.dataset.cell];
  const list = element("ul", { className: "pictures" }, ...pictures.map(figure));
  const shown = pictures.length < count ? pictures.length + " of " + count : String(count);
  const region = document.getElementById("cell");
  region.replaceChildren(element("h3", {}, title + ": " + shown), list);
  fill(region);
  for (const pressed of document.querySelectorAll("[aria-pressed=true]")) pressed.setAttribute("aria-pressed", "false");
  for (const same of document.querySelectorAll('[data-cell="' + button.dataset.cell + '"]'))
    same.setAttribute("aria-pressed", "true");
  if (!button.closest(".matrix")) region.scrollIntoView({ block: "nearest" });
};

const valueOf = (cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent);

const sortBy = (heading) => {
  const column = heading.cellIndex;
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = heading.closest("table").tBodies[0];
  const rows = [...body.rows].sort((a, b) => {
    const [first, second] = [valueOf(a.cells[column]), valueOf(b.cells[column])];
    const order = typeof first === "number" ? first - second : first.localeCompare(second);
    return ascending ? order : -order;
  });
  body.append(...rows);
};

fill(document);
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.cell) showCell(button);
  else if (button?.closest(".sortable")) sortBy(button.parentElement);
});
`;

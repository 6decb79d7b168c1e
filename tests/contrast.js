() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // Whatever way a colour is written, the canvas paints it: read what came out.
  const read = new Map();
  function rgba(colour) {
    if (!read.has(colour)) read.set(colour, painted(colour));
    return read.get(colour);
  }
  function painted(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  function ground(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1]);
  }
  const part = (value) => { const s = value / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    if (element.tagName === "title" || style.visibility === "hidden") continue;
    // in a drawing the rectangle before a text is what it stands on
    const sheet = svg && element.parentElement.querySelector("rect");
    let below = ground(svg ? element.closest("svg") : element);
    if (sheet) {
      const fill = getComputedStyle(sheet).fill;
      const inside = box.left >= sheet.getBoundingClientRect().left - 1;
      if (inside && fill !== "none") below = over(rgba(fill), below);
    }
    const ink = over(rgba(svg ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push([element.textContent.trim().slice(0, 40), ratio.toFixed(2), element.getAttribute("class")]);
  }
  return found;
}

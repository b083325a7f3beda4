// Small tools for the page's elements. Texts go in as text, never as markup.

export function element<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Type;
}

export function setText(target: Node, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = '',
  text = '',
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// The theme's colours are read often and change seldom.
const colours = new Map<string, string>();

export function colour(name: string): string {
  let value = colours.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    colours.set(name, value);
  }
  return value;
}

export function forgetColours(): void {
  colours.clear();
}

// A canvas as sharp as the screen, its units being CSS pixels. Null while it has no size.
export function prepared(
  canvas: HTMLCanvasElement,
): { context: CanvasRenderingContext2D; width: number; height: number } | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (!context || width === 0 || height === 0) return null;
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// As many rows as there are values; rows are kept, so that focus and scrolling are.
export function fitRows(
  body: HTMLElement,
  rows: number,
  makeRow: () => HTMLElement,
): HTMLCollection {
  while (body.children.length > rows) body.lastElementChild!.remove();
  while (body.children.length < rows) body.append(makeRow());
  return body.children;
}

export function rowOfCells(cells: number): HTMLTableRowElement {
  const row = make('tr');
  for (let i = 0; i < cells; ++i) row.append(make('td'));
  return row;
}

export function setCells(row: Element, texts: readonly string[]): void {
  texts.forEach((text, index) => setText(row.children[index]!, text));
}

// Finds what lies at a point or in a rectangle, without looking at everything.

export type Rectangle = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

const MOST = 16; // entries of a leaf before it is divided
const DEEPEST = 12;

export class Quadtree<T extends Rectangle> {
  private entries: T[] = [];
  private parts: Quadtree<T>[] | undefined;

  constructor(
    private readonly bounds: Rectangle,
    entries: Iterable<T> = [],
    private readonly depth = 0,
  ) {
    for (const entry of entries) this.add(entry);
  }

  /** Returns an entry at the point, the one that was added last. */
  at(x: number, y: number): T | undefined {
    return this.within({ x, y, width: 0, height: 0 }).at(-1);
  }

  /** Returns all entries that touch the rectangle. */
  within(area: Rectangle, found: T[] = []): T[] {
    for (const entry of this.entries) if (touch(entry, area)) found.push(entry);
    for (const part of this.parts ?? []) if (touch(part.bounds, area)) part.within(area, found);
    return found;
  }

  private add(entry: T): void {
    const part = this.parts?.find(({ bounds }) => contains(bounds, entry));
    if (part) part.add(entry);
    else this.entries.push(entry); // it lies across the middle, or the leaf is not full
    if (!this.parts && this.entries.length > MOST && this.depth < DEEPEST) this.divide();
  }

  private divide(): void {
    const { x, y, width, height } = this.bounds;
    const [w, h] = [width / 2, height / 2];
    const corners = [
      [x, y],
      [x + w, y],
      [x, y + h],
      [x + w, y + h],
    ] as const;
    this.parts = corners.map(
      ([left, top]) => new Quadtree<T>({ x: left, y: top, width: w, height: h }, [], this.depth + 1),
    );
    const entries = this.entries;
    this.entries = [];
    for (const entry of entries) this.add(entry);
  }
}

function touch(a: Rectangle, b: Rectangle): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

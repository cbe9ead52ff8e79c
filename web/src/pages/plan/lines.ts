// Places in a text: lines and columns as the compiler counts them, offsets as a text field counts them.

export class Lines {
  private readonly starts: number[] = [0];

  constructor(readonly text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
  }

  get count(): number {
    return this.starts.length;
  }

  /** Returns the line, from 1, that an offset is in. */
  lineAt(offset: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** Returns a line without its end. */
  line(number: number): string {
    const start = this.starts[number - 1] ?? this.text.length;
    const end = this.starts[number] ?? this.text.length + 1;
    return this.text.slice(start, end - 1).replace(/\r$/, "");
  }

  /** Returns the offset of a place. Columns, from 1, count characters; an offset counts the halves of some of them. */
  offsetOf(line: number, column = 1): number {
    const start = this.starts[Math.min(line, this.starts.length) - 1] ?? 0;
    return start + unitsOf(this.line(line), column - 1);
  }

  /** Returns line and column, both from 1, of an offset. */
  placeOf(offset: number): { line: number; column: number } {
    const line = this.lineAt(offset);
    return { line, column: [...this.text.slice(this.starts[line - 1], offset)].length + 1 };
  }
}

/** Returns how many units of a text field the first characters of a text take. */
export function unitsOf(text: string, characters: number): number {
  let units = 0;
  for (let n = 0; n < characters && units < text.length; n += 1)
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  return units;
}

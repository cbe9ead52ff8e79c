// Patterns of `output.files`: `*`, `?` and `[…]` stand for characters of one name, `**` for any number of folders.

/** Tells whether a pattern matches a path. Every path matches itself. */
export function matches(path, pattern) {
  return path === pattern || namesMatch(path.split("/"), pattern.split("/"));
}

function namesMatch(names, parts) {
  if (!parts.length) return !names.length;
  const [name, ...below] = names;
  const [part, ...rest] = parts;
  const isHidden = name?.startsWith(".");
  if (part === "**") return namesMatch(names, rest) || (name !== undefined && !isHidden && namesMatch(below, parts));
  if (name === undefined || (isHidden && !part.startsWith("."))) return false; // a hidden file is named with its dot
  return expressionOf(part).test(name) && namesMatch(below, rest);
}

const expressionOf = (part) => new RegExp(`^${part.replace(/\[!?\]?[^\]]*\]|[^]/gu, expressionOfPiece)}$`, "su");

function expressionOfPiece(piece) {
  if (piece === "*") return ".*";
  if (piece === "?") return ".";
  if (piece.length > 2 && piece.startsWith("[")) {
    const inner = piece.slice(1, -1).replace(/[\\[\]^]/g, "\\$&");
    return `[${inner.replace(/^!/, "^")}]`;
  }
  return piece.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

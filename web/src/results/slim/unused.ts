// Parts of markdown-it that this page never asks: bare addresses are no links, and addresses stay as they are written.
export class LinkifyIt {}
export default LinkifyIt;

function unused(): never {
  throw new Error("expected addresses to stay as they are written, but markdown-it changes one");
}

export { unused as decode, unused as encode, unused as format, unused as parse };

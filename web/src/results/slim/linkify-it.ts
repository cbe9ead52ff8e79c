// markdown-it makes a finder of bare addresses, which this page never asks: links of results are those that are written.
export class LinkifyIt {}
export default LinkifyIt;

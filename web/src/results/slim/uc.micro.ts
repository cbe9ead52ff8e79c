// What markdown-it takes of the package "uc.micro": classes of characters that the browser knows by itself.
export const P = /\p{P}/u;
export const S = /\p{S}/u;

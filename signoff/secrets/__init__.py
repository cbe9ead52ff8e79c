"""Takes secrets out of texts before they leave a process, however they are written.

    names       decides which settings and which parts of URLs are secret
    needles     the ways to write one secret: plain, base64, hex
    layers      reads escapes layer by layer, and finds needles in each layer
    stream      filters a text that comes in pieces, and holds back as little as possible
    redaction   `Secrets`, the class that services use: add secrets, clean texts, open streams

A new encoding of a secret is a needle; a new kind of escape is a pattern in `layers`.
"""

"""The page in a real browser: real services, a real door, Debian's Chromium.

    house       the services of a test, each a process, and what a test asks them without the browser
    visitor     a person at a browser of their own; whatever goes wrong in it fails the test
    rooms       the pages, each with an address under which it has something to show
    views       what several tests do on the page of a run
    plans       the plans that the tests run
    hostile     the texts and files that must change nothing
    counting    a proxy that counts the event streams which a browser holds
    pictures    `python -m tests.browser.pictures` draws docs/pictures

`python -m pytest tests/browser` runs them; the ordinary run of the tests leaves them out. They find everything as
people do: by role, label and text. They wait for what the page shows, and for nothing else.
"""

"""The other sides of a connection, on loopback. Nothing here reaches another machine (`loopback` raises if it tries).

For tests of workers: `scripted_runner`, which sends what the test tells it. For tests of the runner: `runner`, a whole
runner in this process, with `raw_worker` and `recording_workers` as its workers. For clients: `fake_runner`, which
plays a journal that the test wrote. Models: `model_server`, with `billing` and `tokens` for what they cost. Stores:
`postgres`, a real server, and `store_proxy` before it. Networks: `proxy`. `service` is any of our services as a process
of its own, which can be killed, frozen and started again.
"""

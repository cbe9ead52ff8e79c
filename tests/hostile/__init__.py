"""Peers that misbehave, each in one way: nothing they send ends, stops or slows a service.

    test_workers, test_uploaders   workers: their frames, and the files that they bring
    test_clients, test_clients_planner   clients of the runner and of the planner
    test_planners, test_endpoints   a planner that answers wrongly, an endpoint of a model that does

Two searches draw what the tests do not foresee, and `test_frames` and `test_plans` run them for a while:

    fuzz_frames   drawn workers and clients of one runner: drawn_messages, drawn_files, drawn_worker, drawn_client.
                  Beside them honest_workers must finish their plan; outcomes says what is no answer
    fuzz_plans    plans, most of which compile: drawn_plans, drawn_terms
"""

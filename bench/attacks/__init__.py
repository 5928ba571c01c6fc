"""Attacks and faults over 127.0.0.1, at full size: `python -m bench.attacks`.

    __main__     arguments -> a run, a table, docs/robustness.md
    page         the table in docs/robustness.md
    attack       what an attack is
    storm        one attack after the other; what came of each
    arena        the proxy as a process, what is behind it, and its level: connections, memory, files
    good         good clients and their upstream, in a process of their own, so that only the proxy can slow them
    bounds       how many, how large, how long
    connection   one raw connection of a bad client, and what it got
    slow, crowds, floods, faults, bodies, tunnels, programs
                 the attacks
    behaviours   upstreams that misbehave

`tests/robustness` has small and fast versions of the same.
"""

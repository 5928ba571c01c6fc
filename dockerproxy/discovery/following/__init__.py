"""Following an engine: from its events and lists to snapshots in the event loop.

watcher.py         Watcher: the thread; connects for ever, publishes into the event loop
  follower.py      Follower: one connection: subscribe, list, act on events and on the clock
    draining.py    Draining: who was told to stop
    event_times.py when the engine told of a container, to measure how late we are
    exits.py       who ended without being told to; flapping.py: who does so again and again
    ended_by_hand.py  EndedByHand: whom a person has stopped or removed
    relisting.py   who is listed again, because events come before the engine's list shows what they tell
  delivery.py      Delivery: the way of snapshots to the loop's thread, which has requests to serve beside them
backoff.py, pace.py   pauses

Calls run from watcher down; what a container is, `discovery.containers` says.
"""

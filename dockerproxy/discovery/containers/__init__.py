"""What the engine says of containers -> ContainerViews. Pure: no I/O, no clock.

fleet.py      Fleet: all containers as last listed -> Snapshot
  listing.py  Listing: all containers, also those without labels, and what would be with other labels
  reader.py   ContainerReader: an Entry and what its labels ask for -> ContainerView
  address.py  AddressBook: where a container is reached, or why not
  shared_network.py  who is reached where another container is
  published.py  where the host answers for a port of a container

Calls run from fleet down.
"""

"""The operator's commands, against a proxy that answers what a test wants."""

"""Tests of the settings: what is read, from where, and what is said when it is wrong."""

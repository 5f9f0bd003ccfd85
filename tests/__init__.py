"""The tests of `constrain`; `support` holds the oracles that share no code with the engine."""

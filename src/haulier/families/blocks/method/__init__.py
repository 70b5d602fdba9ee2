"""Science: blocks of a lattice, their numbers, their places. Arrays in, arrays out."""

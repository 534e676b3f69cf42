"""The command line: it reads words, calls the composition root, and prints what came back."""

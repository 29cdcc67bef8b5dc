"""One renderer a file, each a function over the same records (`autograder.rubric.Report`)."""

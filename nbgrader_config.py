"""For a course on JupyterHub: `nbgrader generate_assignment rnn_by_hand`, run here, takes the starter as it is."""

c = get_config()  # noqa: F821  (nbgrader gives it)
c.CourseDirectory.source_directory = "assignments"
# A starter has its stubs already. nbgrader would take it for a solution without markers, and blank whole cells.
c.ClearSolutions.enabled = False

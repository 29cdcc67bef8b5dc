"""The engine: grades folders of student Keras models by a rubric; knows nothing of a course's content."""

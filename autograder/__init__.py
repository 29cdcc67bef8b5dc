"""The engine: grades folders of student Keras models against a rubric; knows nothing of any course's content."""

"""A frozen incident in a folder, asked like any vendor: for past incidents, exercises and measurements."""

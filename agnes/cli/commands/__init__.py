"""One module for each subject: its commands parse, call one function, and show what came of it."""

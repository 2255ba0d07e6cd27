// A demo: there is no server here.
process.exit(0);

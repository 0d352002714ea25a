"""Floor 5: the command line. Exit codes: 0 done, 1 an error was found or the command was refused, 2 wrong usage, 3
recorded but not yet carried out, because no hub runs or it is busy, 4 the journal can't be reached."""

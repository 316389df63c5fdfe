"""Takes keys, mail and passwords; decides who calls, for which workspace, with what right; keeps them hashed."""

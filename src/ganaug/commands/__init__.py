"""What the command line does, as functions of plain arguments."""

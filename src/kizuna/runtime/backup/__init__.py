"""One file that holds a whole installation: taken while it runs, checked before it is put back."""

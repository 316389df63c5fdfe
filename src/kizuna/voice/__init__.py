"""The brand's voice: which words are said, how long, how plainly. It warns who writes; it stops nobody."""

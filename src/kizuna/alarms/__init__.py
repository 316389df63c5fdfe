"""Takes what doctor's questions and guards find; raises it once, resolves it when it is well again, tells owners."""

"""What a definition would have done to recorded history, beside what was really done; nothing is sent or changed."""

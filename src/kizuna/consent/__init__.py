"""May we write to this customer: takes choices and reports, keeps states by channel and topic, emits their changes."""

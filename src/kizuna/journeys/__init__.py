"""Takes events, facts and timers; decides who enters a journey, what comes next and who leaves; appends journey_*."""

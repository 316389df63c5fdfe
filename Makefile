# Thin on purpose: each target is a script in bin/. `make help` lists them.
# Standard output belongs to the program (`make demo ARGS="--exit --json"` ends with one JSON object), so set-up talks on standard error.
.DEFAULT_GOAL := help
.PHONY: help setup demo test dev bench

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.* ## /\1	/p' Makefile

setup: ## create .venv with everything pinned, build the console
	@bin/setup

demo: ## set up, then replay a real shop's year; ARGS="--exit --json" ends with a JSON summary
	@bin/setup >&2
	@.venv/bin/kizuna demo $(ARGS)

test: ## set up, then every check and every test; ARGS go to pytest
	@bin/setup --test
	@bin/ci $(ARGS)

dev: ## set up, then run Kizuna and the console with live reload
	@bin/dev $(ARGS)

bench: ## set up, then print the benchmark table; ARGS="pipeline" picks rows
	@bin/setup >&2
	@.venv/bin/kizuna bench $(ARGS)

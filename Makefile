# Thin names for what ./run does; `make help` lists them.
.PHONY: help venv install setup migrate up down run dev run-api test lint type fmt check ci-local smoke status kill-switch

help:        ## this list
	@sed -n 's/^\([a-z -]*\):.*## /\1	/p' Makefile

venv install: ## the virtual environment with all it needs
	./run setup

setup:       ## tables, history and the demo, then stop
	./run --prepare

migrate:     ## bring the tables up to date
	./run manage migrate

up run:      ## start everything; Ctrl-C stops it
	./run

down:        ## stop what `make up` started
	./run down

dev:         ## the web alone, starting again when code changes
	./run manage runserver 127.0.0.1:8000

run-api:     ## the web alone, as in production
	./run --web-only

test:        ## all tests
	./run test

check:       ## everything but tests
	./run check

lint:        ## style
	./run check format lint

type:        ## types
	./run check types

fmt:         ## format the code
	./run fmt

ci-local:    ## what CI does
	.ci/run

smoke:       ## a short conversation with the running API
	scripts/smoke.sh

status:      ## cells, orders, profit and queue in twenty lines
	./run status

kill-switch: ## stop all trading: make kill-switch REASON="why"
	@./run manage halt --reason "$$REASON"

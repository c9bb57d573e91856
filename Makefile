# Every command of the project, one line each; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
INFRA := .venv-infra/bin/python -m infra
REGION ?= emea
REGIONS ?= apac emea noam

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21

setup: ## install what running needs (apt packages, .venv)
	@bash local/setup.sh

setup-tests: ## install what the demo and the tests need as well (SIP clients, Chromium)
	@bash local/setup.sh --with-tests

run: setup ## the whole gateway on this machine; HOST=name serves your network
	@exec $(PYTHON) -m local run

demo: setup-tests ## a virtual phone goes through its whole life; exit 0 only if every step was seen
	@exec $(PYTHON) -m local.demo

test: setup-tests ## all set-up, then every test, side by side: most of the long ones only wait
	@bash tests/run.sh

check: setup-tests ## what CI runs: format, lint, types, imports, freshness, README's commands
	@bash .ci/check

bench: setup-tests ## the benchmarks, as a table and JSON in bench/results/
	@$(PYTHON) -m bench

soak: setup-tests ## churn of phones for MINUTES=60 on the edge; fails where memory grows or anything dies
	@$(PYTHON) -m bench.soak --minutes $(or $(MINUTES),60)

outage: setup-tests ## phones and calls while the functions are late, fail, and are away for MINUTES=10
	@$(PYTHON) -m bench.outage --minutes $(or $(MINUTES),10)

setup-image: ## install what building the edge's image needs as well (mmdebstrap, buildah)
	@bash local/setup.sh --image

image: setup-image ## the edge's image as dist/sip-edge.oci.tar, without a Docker engine (root, Debian's mirror)
	@bash sip_edge/image.sh

image-test: setup-tests image ## the image as it would run, then every SIP test and scenario on its Kamailio
	@EDGE_ROOT=dist/edge-root $(PYTHON) -m pytest --quiet --numprocesses 2 --dist loadfile tests/image tests/sip tests/scenarios

golden: setup-tests ## rewrite the golden files; read the diff as the phone would
	@$(PYTHON) tests/golden/write.py

docs: setup-tests ## rewrite the generated tables in docs/
	@$(PYTHON) docs/generate.py && $(PYTHON) -m infra.costs.page

lock: setup-tests ## pin every dependency anew, with hashes
	@bash requirements/lock.sh

setup-infra: ## install what a region's deployment needs (Node.js, .venv-infra)
	@bash local/setup.sh --infra

synth: setup-infra ## the CloudFormation of a region: make synth REGION=emea
	@exec $(INFRA) synth $(REGION)

diff: setup-infra ## what a deployment of REGION would change
	@exec $(INFRA) diff $(REGION)

deploy: setup-infra ## bring REGION to this checkout
	@exec $(INFRA) deploy $(REGION)

rollout: setup-infra ## deploy REGIONS one after the other, each watched; a bad one goes back and the rest wait
	@exec $(INFRA) rollout $(REGIONS)

rollback: setup-infra ## bring REGION back to the release before
	@exec $(INFRA) rollback $(REGION)

destroy: setup-infra ## end the gateway in REGION (asks for its name); tables and secrets stay
	@exec $(INFRA) destroy $(REGION)

test-infra: ## every test of infra/: synthesis, rules, and a deployment into an emulator
	@bash local/setup.sh --emulator
	@.venv-infra/bin/python -m pytest -q infra/tests

format: setup-tests ## format the code
	@$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

clean: ## forget this machine's gateway: .gateway/ with its devices and keys
	@rm -rf .gateway

.PHONY: help setup setup-tests setup-image run demo test check bench soak outage image image-test golden docs lock format clean
.PHONY: setup-infra synth diff deploy rollout rollback destroy
.PHONY: test-infra

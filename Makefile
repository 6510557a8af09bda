# make demo  sets up and runs the main job      make test  sets up and passes all tests
# make help  lists the rest
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) apt-get
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
# Without cached byte code every start takes 2 to 3 CPU seconds more.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: $(shell grep -oE '^[a-z-]+:' Makefile | tr -d :)

help:  ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

env: .venv/.runtime  ## create .venv with what socml needs to run
dev: .venv/.dev  ## create .venv with what its tests and linters need too

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "socml needs Python 3.11 or later"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "installing python3-venv"; $(APT) update -qq; $(APT) install -y -qq python3-venv >/dev/null; }
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

# uv is many times faster than pip; where it cannot reach the index, pip does the same.
define install
	@echo "installing $(1) ($$(grep -c '==' $(1)) packages)"
	@$(BIN)/python -m pip install -q 'uv==0.13.9' 2>/dev/null || true
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r $(1) 2>/dev/null \
	  || $(BIN)/python -m pip install -q --require-hashes -r $(1)
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e . 2>/dev/null
	@echo "compiling the kernels, once"
	@$(BIN)/python -m socml.jobs.warm
endef

.venv/.runtime: .venv/.python requirements.lock pyproject.toml setup.py
	$(call install,requirements.lock)
	@touch $@

.venv/.dev: .venv/.python requirements-dev.lock pyproject.toml setup.py
	$(call install,requirements-dev.lock)
	@touch $@ .venv/.runtime

# Playwright's driver needs libatomic; its own download of a browser is not used. axe-core judges whether everybody can use the pages.
AXE := 4.10.3
browser:
	@{ command -v chromium && /sbin/ldconfig -p | grep libatomic.so.1; } >/dev/null || { \
	  echo "installing Chromium for the browser tests"; $(APT) update -qq; \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends chromium libatomic1 >/dev/null; }
	@test -f .venv/axe-core/$(AXE)/package/axe.min.js || { \
	  command -v npm >/dev/null || { echo "without npm the pages are not judged by axe"; exit 0; }; \
	  echo "fetching axe-core $(AXE)"; mkdir -p .venv/axe-core/$(AXE); cd .venv/axe-core/$(AXE); \
	  npm pack --silent axe-core@$(AXE) >/dev/null && tar xzf axe-core-$(AXE).tgz && rm axe-core-$(AXE).tgz; }

# The tests start a cluster of their own; the one that Debian would make and start is left out.
postgresql:
	@{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || { \
	  echo "installing PostgreSQL for the tests"; $(APT) update -qq; \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends postgresql-common >/dev/null; \
	  $(SUDO) sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf; \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends postgresql >/dev/null; }

# PySpark is 450 MB and Java 200: they are set up for the tests, and never for the main job.
spark: .venv/.spark  ## PySpark and Java 17, for features, scores and the daily list on Spark
.venv/.spark: .venv/.dev requirements-spark.lock
	@command -v java >/dev/null || { echo "installing Java 17 for Spark"; $(APT) update -qq; \
	  DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null; } \
	  || echo "no Java: the tests of Spark are skipped"
	@echo "installing requirements-spark.lock"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-spark.lock 2>/dev/null \
	  || $(BIN)/python -m pip install -q --require-hashes -r requirements-spark.lock
	@touch $@

demo: env  ## set up, simulate a small organisation, find what is unusual, open the app
	@$(BIN)/socml demo

app: env  ## serve the app
	@$(BIN)/socml app

notebook: env  ## open the notebooks
	@$(BIN)/jupyter lab notebooks

test: dev browser postgresql spark  ## set up and pass all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

properties: dev  ## the property tests on examples that nobody has tried yet (ROUNDS=20)
	@for round in $$(seq $(or $(ROUNDS),20)); do \
	  $(BIN)/python -m pytest -q -n 2 --hypothesis-profile=fresh $$(grep -l "^from hypothesis" tests/test_*.py) || exit 1; \
	done

test-pythons:  ## pass the tests that need no browser on each Python that is here (PYTHONS="3.12 /usr/bin/python3" for some, TESTS=tests/test_cli.py)
	@.ci/test-pythons $(PYTHONS)

canary:  ## the tests that need no browser on the newest releases of all that pyproject.toml asks for (RELEASES=oldest: the oldest it allows)
	@.ci/canary $(RELEASES)

# What is compiled with checks has a cache of its own: numba does not tell it from what is compiled without.
test-bounds: dev  ## the tests of the compiled readers again, every index of an array checked
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/.venv/.numba-bounds $(BIN)/python -m pytest -q -n 2 \
	  tests/test_capture.py tests/test_netflow_capture.py tests/test_kernels_keyed_hash.py tests/test_formats.py tests/test_fuzz.py \
	  -k "capture or keyed or compiled or pcap or netflow"

# One program, fetched by npm at this version; what it asks for is in biome.json.
BIOME := 2.3.8
.venv/biome/$(BIOME):
	@command -v npm >/dev/null || { echo "without npm the scripts of the app are not linted"; exit 0; }; \
	  echo "fetching biome $(BIOME)"; rm -rf .venv/biome; \
	  npm install --silent --no-save --no-audit --no-fund --prefix .venv/biome @biomejs/biome@$(BIOME) && touch $@ \
	  || echo "npm could not fetch it: the scripts of the app are not linted"

lint: dev .venv/biome/$(BIOME)  ## style, types, layers, scripts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@if test -e .venv/biome/$(BIOME); then .venv/biome/node_modules/.bin/biome lint --error-on-warnings; fi

audit: env  ## known vulnerabilities of what the lock files pin
	@.ci/audit

bench-speed: dev  ## our kernels beside the libraries they replace: docs/results/bench-speed.md
	@$(BIN)/python -m benchmarks.speed

bench-ingest: dev  ## reading logs beside the usual ways: docs/results/bench-ingest.md (takes 6 GB of disk)
	@$(BIN)/python -m benchmarks.ingest

bench-features: dev  ## feature sets over 10 million flows beside short scripts: docs/results/bench-features.md (3 GB of disk)
	@nice $(BIN)/python -m benchmarks.features

bench: dev  ## speed of each step, as a ratio to a named peer in the same run
	@$(MAKE) --no-print-directory bench-speed bench-ingest

results-line: dev  ## the whole line on real files: docs/results/results-line.md
	@$(BIN)/python -m benchmarks.line

results-detectors: dev  ## every detector beside its peers: docs/results/results-detectors.md
	@$(BIN)/python -m benchmarks.detectors

results-online: dev  ## online detectors on a million simulated events: docs/results/results-online.md
	@$(BIN)/python -m benchmarks.online

results-learning: dev  ## learning from labels beside its peers: docs/results/results-learning.md
	@$(BIN)/python -m benchmarks.learning

results-daily: dev  ## the daily list on simulated organisations: docs/results/results-daily.md (30 minutes; SOCML_CAPTURES=FOLDER for real ones)
	@nice $(BIN)/python -m benchmarks.daily

results-formats: dev  ## every reader on every real file: docs/results/results-formats.md
	@$(BIN)/python -m benchmarks.formats

results-templates: dev  ## templates of Loghub's samples: docs/results/results-templates.md
	@$(BIN)/python -m benchmarks.templates

results-house: dev  ## what the sources are made of and what the verbs cost: docs/results/results-house.md
	@$(BIN)/python -m benchmarks.house

results-ecosystem: dev  ## contracts with scikit-learn, River and MLflow, sizes, first result: docs/results/results-ecosystem.md
	@nice $(BIN)/python -m benchmarks.ecosystem

results-strangers: dev  ## three runs from the wheel in an empty environment, each command with its time: docs/results/results-strangers.md
	@$(BIN)/python -m benchmarks.strangers

results-unchanged: dev  ## every stored value at BEFORE=REVISION beside now: docs/results/results-unchanged.md
	@nice $(BIN)/python -m benchmarks.unchanged $(BEFORE)

results-reliability: dev  ## kills and faults, and what they lost: docs/results/results-reliability.md (half an hour)
	@$(BIN)/python -m benchmarks.reliability

results-night: dev  ## ninety simulated nights, some bad: docs/results/results-night.md (half an hour; NIGHTS=20 NIGHT_EVENTS=5000 for fewer)
	@nice $(BIN)/python -m benchmarks.nights
	@$(MAKE) --no-print-directory results-night-kills

results-night-kills: dev  ## one night killed at 100 random moments: docs/results/results-night-kills.md (KILLED=20 for fewer)
	@nice $(BIN)/python -m benchmarks.night_kills

bench-scale: dev  ## a million flows and more, end to end: docs/results/bench-scale.md (10 GB of disk; SCALE="1 10" for fewer)
	@nice $(BIN)/python -m benchmarks.scale

results-app: dev browser  ## how long a person waits for the page Today: docs/results/results-app.md
	@$(BIN)/python -m benchmarks.app

fuzz: dev  ## 50,000 mutated records or 5,000 files for every reader: docs/results/fuzz.md (five minutes; READERS="syslog cef" for some)
	@$(BIN)/python -m benchmarks.fuzz $(READERS)

pictures: dev browser  ## a picture of every page of the app in both languages and themes: docs/pictures
	@$(BIN)/python docs/pictures.py

docs: dev  ## the documentation site, strictly: build/site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict && echo "build/site/index.html"

readmes: dev  ## the tables in the recipe folders' READMEs, and what each reader fills
	@$(BIN)/python docs/recipe_tables.py
	@$(BIN)/python -m benchmarks.readers

sbom: dev  ## what socml is made of: build/socml.cdx.json (CycloneDX), and docs/reference/licences.md
	@$(BIN)/python docs/bill_of_materials.py

lock: .venv/.python  ## renew the lock files from pyproject.toml
	@$(BIN)/python -m pip install -q 'uv==0.13.9'
	@lock="$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11"; \
	  $$lock pyproject.toml --extra build --extra all -o requirements.lock; \
	  $$lock pyproject.toml --extra build --extra all --extra dev -c requirements.lock -o requirements-dev.lock; \
	  $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"], sep="\n")' \
	  | $$lock - -o requirements-spark.lock

clean:  ## remove what was made, but not the workspace
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

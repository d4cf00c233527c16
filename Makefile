# make run: set up .venv and start the app.   make test: set up and run all tests.
# make demo: the whole loop on example data.
# make soak: the long counts.   make lint: format, rules, types.   make bench: measurements.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test soak lint bench adapter translations forms clean

run: .venv/run-ready
	$(BIN)/python app.py

demo: .venv/run-ready
	$(BIN)/python -m trainer demo

test: .venv/test-ready
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

soak: .venv/test-ready
	CTX_SOAK=1 $(BIN)/python -m pytest --timeout 7200

lint: .venv/test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/test-ready
	$(BIN)/python -m pip install --quiet -r tests/benchmarks/requirements.txt
	$(BIN)/python -m engine bench assets/bench/result.json
	$(BIN)/python -m engine.bench.plot assets/bench/result.json assets/bench/growth.svg
	$(BIN)/python -m tests.benchmarks.memory
	$(BIN)/python -m tests.benchmarks.click
	$(BIN)/python -m tests.benchmarks.review
	$(BIN)/python -m db bench assets/bench/store.json
	$(BIN)/python -m tests.benchmarks.words
	$(BIN)/python -m tests.benchmarks.start
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.switching
	$(BIN)/python -m tests.benchmarks.comparing --out assets/bench/comparing.json
	$(BIN)/python -m tests.benchmarks.scratch
	$(BIN)/python -m tests.benchmarks.scratch_training

# Needs CTX_DATA, the folder of the data outside the project, and Debian's wordnet-base.
adapter: .venv/run-ready
	$(BIN)/python -m pip install --quiet -r trainer/sources/requirements.txt
	$(BIN)/python -m trainer books assets/adapters/en-zh-sense/recipe.json
	$(BIN)/python -m trainer fit assets/adapters/en-zh-sense/recipe.json --install

# The five that translate sentences, and the table of what each is worth; needs CTX_DATA.
translations: .venv/run-ready
	$(BIN)/python -m pip install --quiet -r trainer/sources/requirements.txt
	for pair in en-zh en-es de-en en-hi en-ta; do \
		$(BIN)/python -m trainer fit assets/adapters/$$pair-translation/recipe.json --install || exit; \
	done
	$(BIN)/python -m trainer pairs --out assets/bench/translation.json

# Smaller forms of the shipped adapter: made, judged on its test rows, timed.
forms: .venv/run-ready
	$(BIN)/python -m trainer quantise shipped --out assets/bench/forms.json

.venv/run-ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=python3.12, say."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/test-ready: .venv/run-ready tests/requirements.txt tests/requirements-no-deps.txt
	$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -r tests/requirements-no-deps.txt
	touch $@

clean:
	rm -rf .venv

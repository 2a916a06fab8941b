# Hilum: a FHIR R4 facade and imaging API server. `make` alone prints what there is to say.
#
# One configuration for everything (release): tests, demo, clients, crash test and benchmark use the same build.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo test stories tidy format clients coverage crash hostile slow ports bench costs series images access signin bulk pixels viewer dimse fuzz clean

BUILD := swift build -c release --build-tests --explicit-target-dependency-import-check error
HILUM := .build/release/hilum
# Our own sources, without what a generator wrote.
OURS := find Package.swift Sources Tests -name '*.swift' ! -name '*+Generated.swift' -print0

# The demo's own files: make demo DICOM=folder HL7=folder; HILUM_DEMO_EXIT=1 plays the story and ends.
DICOM ?=
HL7 ?=
DEMO_OPTIONS := $(if $(filter 1,$(HILUM_DEMO_EXIT)),--once) $(if $(DICOM),--dicom "$(DICOM)") $(if $(HL7),--hl7 "$(HL7)")
# Extra words for one tool: make test TEST="--filter DICOMData", make crash CRASH="--kills 5 --database sqlite".
TEST ?=
CRASH ?=
CLIENTS ?=
HOSTILE ?=
SLOW ?=
BENCH ?=
PORTS ?=
COSTS ?=
SERIES ?=
IMAGES ?=
DIMSE ?=
STORIES ?= 10000

help: ## This list
	@printf 'make TARGET, where TARGET is one of\n\n'
	@sed -nE 's/^([a-z]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Install the system packages that are missing and check the Swift toolchain
	@docker/setup.sh test

build: ## Build server, tools and tests (release), refusing imports that Package.swift does not declare
	@docker/setup.sh runtime
	$(BUILD)

demo: ## Play one imaging order through Hilum over the real wires, and leave the server running
	@docker/setup.sh demo
	@$(MAKE) --no-print-directory build
	$(HILUM) demo $(DEMO_OPTIONS)

test: setup ## Every test; storage tests and journeys on SQLite and on a PostgreSQL server of its own
	$(BUILD)
	HILUM_POSTGRES_OPTIONS='-c fsync=off' docker/with-postgres.sh conformance/tests.sh $(TEST)
	$(if $(TEST),,HILUM_JOURNEY_DATABASE=postgres HILUM_POSTGRES_OPTIONS='-c fsync=off' \
	    docker/with-postgres.sh conformance/tests.sh --filter JourneyTests)

stories: build ## Tell 10,000 generated stories to each database (make test tells a part of them): STORIES=number
	HILUM_STORIES=$(STORIES) HILUM_POSTGRES_OPTIONS='-c fsync=off' \
	    docker/with-postgres.sh conformance/tests.sh --filter StoryTests

tidy: ## Formatting, import table, banned calls, names
	$(OURS) | xargs -0 swift format lint --strict --parallel
	$(BUILD)
	swift test -c release --skip-build --filter TidyTests

format: ## Rewrite our sources as `make tidy` wants them
	$(OURS) | xargs -0 swift format --in-place --parallel

clients: build ## Drive a running Hilum with DCMTK, pynetdicom, dicomweb-client, FHIR, HL7 and JWT clients
	@docker/setup.sh clients
	conformance/clients/run.sh $(CLIENTS)

coverage: build ## How much of HL7 messages reaches FHIR or the worklist, by message type
	conformance/coverage/run.py $(COVERAGE)

crash: build ## kill -9 under mixed load, on both databases; an outside ledger looks for losses
	@docker/setup.sh clients
	conformance/crash/run.sh $(CRASH)

hostile: build ## Hostile peers, few descriptors, little memory, a full disk, failing calls: beside good clients
	@docker/setup.sh clients
	conformance/hostile/run.sh $(HOSTILE)

slow: build ## Of `make hostile` the thousands of peers that drip or say nothing
	@docker/setup.sh clients
	conformance/hostile/run.sh --only slow $(SLOW)

ports: build ## The suites that listen, ten times in a row beside a process that opens ports at random
	conformance/ports/run.sh $(PORTS)

bench: build ## Ratios against this machine's own bounds, in one run
	@docker/setup.sh bench
	.build/release/hilum-bench $(BENCH)

costs: build ## What searches cost as the store grows, on both databases: conformance/bench/COSTS.md
	@docker/setup.sh bench
	.build/release/hilum-bench costs --database sqlite --beside --out conformance/bench/COSTS.md $(COSTS)
	docker/with-postgres.sh .build/release/hilum-bench costs --database postgres --beside \
	    --out conformance/bench/COSTS.md $(COSTS)

series: build ## A series as one multipart answer beside Orthanc, in one run: conformance/bench/SERIES.md
	@docker/setup.sh clients
	@docker/setup.sh bench
	.build-tools/venv/bin/python conformance/bench/series.py $(SERIES)

images: build ## Pictures, images in other syntaxes, a series, 2 GB, beside Orthanc and nginx: conformance/bench/IMAGES.md
	@docker/setup.sh clients
	@docker/setup.sh bench
	.build-tools/venv/bin/python conformance/bench/images.py $(IMAGES)

access: build ## What a patient's and a user's token cost beside a system token's, and the check of a token
	@docker/setup.sh clients
	docker/with-postgres.sh .build-tools/venv/bin/python conformance/bench/access.py $(ACCESS)

signin: build ## Latency of reads beside 50 sign-ins a second, and without them
	@docker/setup.sh clients
	.build-tools/venv/bin/python conformance/bench/signin.py $(SIGNIN)

bulk: build ## $$export and $$import of 100,000 and 1,000,000 resources, on both databases
	@docker/setup.sh clients
	docker/with-postgres.sh .build-tools/venv/bin/python conformance/bench/export.py $(BULK)
	docker/with-postgres.sh .build-tools/venv/bin/python conformance/bench/import.py $(BULK)

viewer: build ## The image viewer in a headless browser; screenshots in .build-tools/viewer
	@docker/setup.sh viewer
	.build-tools/venv/bin/python conformance/viewer/run.py $(VIEWER)

pixels: build ## Frames of public test images, decoded and encoded, against other codecs
	@docker/setup.sh pixels
	for target in none 1.2.840.10008.1.2.5 1.2.840.10008.1.2.4.70 1.2.840.10008.1.2.4.80 1.2.840.10008.1.2.4.81 \
	    1.2.840.10008.1.2.4.90 1.2.840.10008.1.2.4.91 1.2.840.10008.1.2.4.50; do \
	    .build-tools/pixels/bin/python conformance/clients/check_pixels.py $(HILUM) --workers --encode $$target; \
	done

fuzz: ## libFuzzer on our own decoders, half an hour each: FUZZ="--seconds 60 rle", FUZZ="--minutes 30"
	docker/setup.sh clients
	conformance/fuzz/run.sh $(FUZZ)

dimse: build ## Echo, C-FIND, C-GET, C-MOVE beside Orthanc and dcmqrscp; rules and archives: conformance/bench/DIMSE.md
	@docker/setup.sh clients
	@docker/setup.sh bench
	.build-tools/venv/bin/python conformance/bench/dimse.py $(DIMSE)

clean: ## Remove what was built and installed inside this folder
	rm -rf .build .build-tools

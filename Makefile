# What there is to do here. `make` alone lists it.
PREFIX ?= /usr/local
# Options for the daemon: make run ARGS='--camera pattern --bind 0.0.0.0:5000'
ARGS ?=
# Of each fuzz target; and an input to try again, as a failing run names it.
FUZZ_SECONDS ?= 60
REPLAY ?=
CARGO ?= cargo

.DEFAULT_GOAL := help
# Under `make -j` two suites would share processors, ports and a browser, and their
# timeouts would fail. Cargo uses all processors by itself.
.NOTPARALLEL:
.PHONY: help run build test test-https fuzz test-v4l2 test-arm64 test-clients soak check audit bench bench-relay bench-v4l2 bench-board bench-encode install clean
.PHONY: need-build need-test need-v4l2 need-arm64 need-clients need-board need-bench need-encode

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: need-build ## build and start the daemon; ARGS='--camera ...' or CAMERA=... choose a camera
	$(CARGO) run --locked --release -- $(ARGS)

build: need-build ## build the daemon for use
	$(CARGO) build --locked --release

test: need-build need-test test-https ## run all tests, in a real browser and real players too
	$(CARGO) test --locked --workspace

# The suite tests what is built by default. TLS has a chapter of its own, so that
# the rest need not be run twice.
test-https: need-build need-test ## test cameras at https addresses against a real TLS server
	$(CARGO) test --locked --features https --test e2e https::

test-v4l2: need-build need-v4l2 ## test on real camera drivers, in an emulated machine (x86_64 Debian)
	$(CARGO) test --locked --test v4l2 -- --test-threads=1

ARM64 := aarch64-unknown-linux-gnu
test-arm64: need-build need-arm64 ## test the encoder's NEON on an emulated processor
	@test -d "$$(rustc --print target-libdir --target $(ARM64))" || rustup target add $(ARM64)
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
	$(CARGO) test --locked -p mjpegd-jpeg-codec --target $(ARM64)

# Not part of .ci/run: to install OctoPrint, Moonraker and Home Assistant takes about six
# minutes, and CI has 45 for everything. Each has an environment of its own, as their packages contradict
# each other, and is installed again only when its file of versions changes.
CLIENTS := octoprint moonraker home_assistant
test-clients: need-build need-clients $(CLIENTS:%=target/clients/%/installed) ## test with OctoPrint, Moonraker, Home Assistant and motion as clients
	$(CARGO) test --locked --test e2e real_clients:: -- --ignored

# The system's Python, for which .ci/need has installed what is needed.
target/clients/%/installed: src/e2e/real_clients/%.txt | need-clients
	/usr/bin/python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	touch $@

soak: need-build ## let all kinds of clients come and go for SOAK_SECONDS (half an hour)
	SOAK_SECONDS=$${SOAK_SECONDS:-1800} $(CARGO) test --locked --release --test e2e nothing_is_left_behind -- --nocapture

fuzz: need-build ## feed random bytes to all that reads bytes from outside; FUZZ_SECONDS=60 a target, REPLAY=FILE for one input
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_REPLAY=$(REPLAY) $(CARGO) test --locked --lib fuzz:: -- --nocapture

check: need-build ## formatting, lints and documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --test v4l2 --example usb_webcam -- -D warnings
	$(CARGO) clippy --locked --features https -- -D warnings
	$(CARGO) clippy --locked --lib --tests --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

audit: ## look for security advisories (needs the network)
	@command -v cargo-audit >/dev/null || $(CARGO) install --locked cargo-audit
	$(CARGO) audit

bench: need-build need-bench ## measure memory, CPU per frame and delay beside bare loops
	$(CARGO) bench --locked --bench server

bench-relay: need-build need-bench ## measure what a relay adds to the age of a picture, and its throughput
	$(CARGO) bench --locked --bench relay

bench-v4l2: need-build need-v4l2 ## measure CPU per frame beside uStreamer, in an emulated machine
	$(CARGO) test --locked --release --test v4l2 -- --ignored --nocapture beside_ustreamer

bench-board: need-build need-v4l2 need-board ## measure what recording costs a board beside one more viewer, in an emulated one
	$(CARGO) test --locked --release --test v4l2 -- --ignored --nocapture beside_one_more_viewer

bench-encode: need-build need-encode ## measure the encoder and changes of JPEGs beside libjpeg-turbo
	$(CARGO) bench --locked --bench encode --features bench-turbo

install: build ## put the daemon under PREFIX (/usr/local)
	install -D -m 755 target/release/mjpegd $(DESTDIR)$(PREFIX)/bin/mjpegd

clean: ## remove all that was built
	$(CARGO) clean

need-build need-test need-v4l2 need-arm64 need-clients need-board need-bench need-encode:
	@.ci/need $(@:need-%=%)

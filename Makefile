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
.PHONY: help run build dist deb image test-deb test-deb-arm test-image test-dist test-workflows test test-https fuzz test-v4l2 test-arm64 test-boards test-clients test-systemd fleet test-fleet soak check audit bench bench-relay bench-v4l2 bench-board bench-encode bench-motion bench-latency bench-all bench-figures install uninstall clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: need-build ## build and start the daemon; ARGS='--camera ...' or CAMERA=... choose a camera
	$(CARGO) run --locked --release -- $(ARGS)

build: need-build ## build the daemon for use
	$(CARGO) build --locked --release

# Tests mostly wait for a process or a browser: one more than there are processors keeps these busy.
test: export RUST_TEST_THREADS ?= $(shell expr $$(nproc) + 1)
test: need-build-test test-https ## run all tests, in a real browser and real players too
	$(CARGO) test --locked --workspace

# The suite tests what is built by default. TLS has a chapter of its own, so that
# the rest need not be run twice.
test-https: need-build-test ## test cameras at https addresses against a real TLS server
	$(CARGO) test --locked --features https --test e2e https::

test-v4l2: need-build-v4l2 ## test on real camera drivers, in an emulated machine (x86_64 Debian)
	$(CARGO) test --locked --test v4l2 -- --test-threads=1

ARM64 := aarch64-unknown-linux-gnu
test-arm64: need-build-arm64 ## test the encoder's NEON on an emulated processor
	@test -d "$$(rustc --print target-libdir --target $(ARM64))" || rustup target add $(ARM64)
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
	$(CARGO) test --locked -p mjpegd-jpeg-codec --target $(ARM64)

# Not part of .ci/run, as it takes most of an hour: seven builds, and tests on processors that
# are emulated. With musl there is what `make dist` ships, built once for both. PARTS chooses
# parts of .ci/test-boards, which names them.
PARTS ?=
BOARDS := x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf \
	arm-unknown-linux-musleabi aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf i686-unknown-linux-gnu
test-boards: need-build-test-v4l2-dist-boards $(BOARDS:%=board-%) ## build for all boards, and test that on emulated processors and stock ARM kernels
	.ci/test-boards $(PARTS)

board-%:
	.ci/board $*

# Not part of .ci/run: to install OctoPrint, Moonraker and Home Assistant takes about six
# minutes, and CI has 45 for everything. Each has an environment of its own, as their packages contradict
# each other, and is installed again only when its file of versions changes.
CLIENTS := octoprint moonraker home_assistant
test-clients: need-build-clients $(CLIENTS:%=target/clients/%/installed) ## test with OctoPrint, Moonraker, Home Assistant and motion as clients
	$(CARGO) test --locked --test e2e real_clients:: -- --ignored

# The system's Python, for which .ci/need has installed what is needed.
target/clients/%/installed: src/e2e/real_clients/%.txt | need-clients
	/usr/bin/python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	touch $@

# A real systemd, booted in namespaces: it needs root, and no more than `test`.
test-systemd: need-build-test ## test the units under a real systemd, as root
	$(CARGO) test --locked --test e2e real_systemd:: -- --ignored --test-threads=1

fleet: need-build-fleet ## start an origin, three relays and HAProxy on this machine; PORT=5000, CAMERA=...
	$(CARGO) build --locked --release
	@src/deploy/fleet.sh $${CARGO_TARGET_DIR:-target}/release/mjpegd

# Not part of `test`: the engines take 200 MB, and 200 viewers the whole machine.
test-fleet: need-build-fleet target/fleet/installed ## check the files for HAProxy, nginx, Kubernetes, ... by their engines, and a fleet of relays under load
	$(CARGO) test --locked --test e2e fleet:: -- --ignored --test-threads=1

# The schemas of Kubernetes.
target/fleet/installed: src/e2e/fleet/requirements.txt | need-fleet
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
	$(CARGO) clippy --locked --no-default-features --features daemon -- -D warnings
	$(CARGO) clippy --locked --lib --tests --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

audit: ## look for security advisories (needs the network)
	@command -v cargo-audit >/dev/null || $(CARGO) install --locked cargo-audit
	$(CARGO) audit

bench: need-build-bench ## measure memory, CPU per frame and delay beside bare loops
	$(CARGO) bench --locked --bench server

bench-relay: need-build-bench ## measure what a relay adds to the age of a picture, and its throughput
	$(CARGO) bench --locked --bench relay

bench-v4l2: need-build-v4l2 ## count instructions per frame beside uStreamer, in an emulated machine
	$(CARGO) test --locked --release --test v4l2 -- --ignored --nocapture beside_ustreamer

bench-board: need-build-v4l2-board ## measure what recording costs a board beside one more viewer, in an emulated one
	$(CARGO) test --locked --release --test v4l2 -- --ignored --nocapture beside_one_more_viewer

bench-encode: need-build-encode ## measure the encoder and changes of JPEGs beside libjpeg-turbo
	$(CARGO) bench --locked --bench encode --features bench-turbo

bench-motion: need-build-motion build ## measure motion detection beside the program motion, on the same streams
	$(CARGO) bench --locked -p mjpegd-motion-detector --bench motion

bench-latency: need-build-latency ## measure how old a picture is when Chromium, Firefox and WebKit show it
	$(CARGO) bench --locked --bench latency

# Where each of them leaves its figures.
export BENCH_RESULTS ?= $(CURDIR)/target/figures
BENCHES := bench bench-relay bench-encode bench-motion bench-board bench-v4l2 bench-latency
bench-all: need-build-bench-encode-motion-board-v4l2-latency ## run all benchmarks, which takes an hour on a quiet machine, and write their figures into the guide
	rm -rf $(BENCH_RESULTS)
	for one in $(BENCHES); do $(MAKE) $$one || exit; done
	$(MAKE) bench-figures

bench-figures: need-build-latency ## write the figures of the benchmarks that ran last into guide and README
	$(CARGO) bench --locked --bench figures

# Under the names of `uname -m`. Each takes as long as `make build`; ARCHS=armv6 builds one.
ARCHS ?= x86_64 aarch64 armv7 armv6
DIST := $${CARGO_TARGET_DIR:-target}/dist
dist deb image: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

dist: need-build-dist ## build static programs for x86_64, aarch64, armv7, armv6 in target/dist, with SBOM and checksums
	for arch in $(ARCHS); do src/deploy/dist/build $$arch || exit; done
	/usr/bin/python3 src/deploy/dist/sbom.py $(DIST)
	cd $(DIST) && sha256sum [!S]* > SHA256SUMS

deb: need-build-dist dist ## build Debian packages of them for amd64, arm64, armhf, armv6 in target/dist
	for arch in $(ARCHS); do src/deploy/deb/build $$arch || exit; done
	cd $(DIST) && sha256sum [!S]* > SHA256SUMS

image: need-build-dist-image dist ## build a container image of them for all processors in target/dist (OCI)
	src/deploy/image/build $(ARCHS)
	cd $(DIST) && sha256sum [!S]* > SHA256SUMS

# Not part of `test`: they build all of the above, and take two Debians (400 MB) and root.
test-deb: need-packages-checkers deb target/packages/installed ## try the package in bare Debians and under a real systemd, and check all packages
	lintian --allow-root --fail-on error $(DIST)/*.deb
	target/packages/venv/bin/python src/deploy/dist/check_sbom.py $(DIST)/mjpegd.cdx.json
	for suite in bookworm trixie; do src/deploy/deb/test $$suite || exit; done
	src/deploy/deb/machine

# The first run makes four Debians, whose programs are emulated: half an hour.
test-deb-arm: need-packages-emulators deb ## try the packages for ARM in bare Debians, emulated
	for suite in bookworm trixie; do \
		for package in arm64 armhf armv6; do src/deploy/deb/test $$suite $$package || exit; done; \
	done

test-image: need-image-podman image ## run the image read-only and without rights
	src/deploy/image/test

test-dist: dist ## build the programs again in another folder, and compare their bytes
	src/deploy/dist/again $(ARCHS)

test-workflows: need-checkers target/packages/installed ## check the files of .github/workflows
	target/packages/venv/bin/actionlint -shellcheck target/packages/venv/bin/shellcheck

# Checkers of SBOM and workflows.
target/packages/installed: src/deploy/dist/requirements.txt | need-checkers
	/usr/bin/python3 -m venv --clear $(@D)/venv
	$(@D)/venv/bin/pip install --quiet --requirement $<
	touch $@

PROGRAM := target/release/mjpegd
SHARE := $(DESTDIR)$(PREFIX)/share
UNITS := $(DESTDIR)$(PREFIX)/lib/systemd/system
DOC := $(SHARE)/doc/mjpegd
MAN_PAGES := $(notdir $(wildcard src/deploy/man/*.1))

# Under sudo what was built before: root has often no Rust, and should leave no files of
# its own in target/.
install: $(if $(and $(SUDO_USER),$(wildcard $(PROGRAM))),,build) ## put program, man pages, completions, guide and units under PREFIX (/usr/local)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/mjpegd
	install -d $(SHARE)/man/man1 $(DOC)/guide $(UNITS)
	install -m 644 $(MAN_PAGES:%=src/deploy/man/%) $(SHARE)/man/man1
	install -D -m 644 src/deploy/completions/mjpegd $(SHARE)/bash-completion/completions/mjpegd
	install -D -m 644 src/deploy/completions/_mjpegd $(SHARE)/zsh/site-functions/_mjpegd
	install -D -m 644 src/deploy/completions/mjpegd.fish $(SHARE)/fish/vendor_completions.d/mjpegd.fish
	install -m 644 $(filter-out %/links.md,$(wildcard src/guide/*.md)) $(DOC)/guide
	install -m 644 LICENSE $(DOC)
	sed 's|src/guide/|guide/|g' README.md > $(DOC)/README.md
	install -m 644 src/deploy/systemd/mjpegd.socket $(UNITS)
	sed 's|/usr/local/|$(PREFIX)/|' src/deploy/systemd/mjpegd.service > $(UNITS)/mjpegd.service

uninstall: ## remove what install has put there; recordings and options stay
	rm -f $(DESTDIR)$(PREFIX)/bin/mjpegd $(MAN_PAGES:%=$(SHARE)/man/man1/%)
	rm -f $(SHARE)/bash-completion/completions/mjpegd $(SHARE)/zsh/site-functions/_mjpegd
	rm -f $(SHARE)/fish/vendor_completions.d/mjpegd.fish
	rm -f $(UNITS)/mjpegd.service $(UNITS)/mjpegd.socket
	rm -rf $(DOC)

clean: ## remove all that was built
	$(CARGO) clean

# All that is missing for one target in one go: need-build-test asks for both.
need-%:
	@CARGO='$(CARGO)' .ci/need $(subst -, ,$*)

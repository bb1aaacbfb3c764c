# The front door. `make run` and `make test` install what is missing on a bare Debian 12 (as root or with
# sudo); the other targets only build and check. Everything else is CMake's: build/<kind> holds one
# configured build each, and HACKING.md says what is where.
PYTHON  ?= /usr/bin/python3
JOBS    ?= $(shell nproc)
BUILD   := build
TRACE_PLUGINS := simple_trace test_trace weir_trace_formats
PLUGINS := conn_ip_example ip_filter sql_firewall audit_log

# Where the truth data is; the suites that read it are skipped when it is not there, except in CI.
export WEIR_TRUTH ?= $(abspath ../shared)

configure = cmake -G Ninja -S . -B $(BUILD)/$(1) $(2) >$(BUILD)/$(1).log 2>&1 || { cat $(BUILD)/$(1).log; exit 1; }

.PHONY: all
all: release

# ---- Builds ----

.PHONY: release programs asan tsan test-trace fuzzers
release: $(BUILD)/release/build.ninja
	@ninja -C $(BUILD)/release
# Without the tests.
programs: $(BUILD)/release/build.ninja
	@ninja -C $(BUILD)/release programs
asan: $(BUILD)/asan/build.ninja
	@ninja -C $(BUILD)/asan
# What make test runs under it, the programs, and no unit tests.
tsan: $(BUILD)/tsan/build.ninja
	@ninja -C $(BUILD)/tsan programs $(TRACE_PLUGINS)
# The trace plugin test_trace built in: what differs, and what its tests need.
test-trace: $(BUILD)/test-trace/build.ninja
	@ninja -C $(BUILD)/test-trace weir-server weir-trace-program pluginpkg $(TRACE_PLUGINS)
fuzzers: $(BUILD)/fuzz/build.ninja
	@ninja -C $(BUILD)/fuzz fuzzers

$(BUILD):
	@mkdir -p $(BUILD)
$(BUILD)/release/build.ninja: | $(BUILD)
	@$(call configure,release,-DWEIR_BIN_DIR=$(CURDIR)/bin)
$(BUILD)/asan/build.ninja: | $(BUILD)
	@$(call configure,asan,-DWEIR_SANITIZE=address$(comma)undefined)
$(BUILD)/tsan/build.ninja: | $(BUILD)
	@$(call configure,tsan,-DWEIR_SANITIZE=thread)
$(BUILD)/test-trace/build.ninja: | $(BUILD)
	@$(call configure,test-trace,-DWITH_TEST_TRACE_PLUGIN=ON)
$(BUILD)/fuzz/build.ninja: | $(BUILD)
	@$(call configure,fuzz,-DWEIR_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++)
comma := ,

.PHONY: plugins
plugins: programs
	@for name in $(PLUGINS); do \
	    bin/pluginpkg -pkg-dir plugin/$$name -out-dir plugin/$$name >/dev/null || exit 1; done

# ---- Running ----

.PHONY: run
run:
	@tools/bootstrap.sh build run
	@echo "building weir"
	@$(MAKE) --no-print-directory programs
	@bin/pluginpkg -pkg-dir plugin/conn_ip_example -out-dir plugin/conn_ip_example >/dev/null
	@exec bin/weir-server -plugin-dir plugin/conn_ip_example -plugin-load conn_ip_example-1

# ---- Checks ----

.PHONY: test
test:
	@tools/bootstrap.sh build run test deb
	@$(MAKE) --no-print-directory release plugins
	@tools/test.sh

.PHONY: unit integration mtr soak clients lint fuzz fuzz-server format
unit: asan
	@ctest --test-dir $(BUILD)/asan --output-on-failure
integration: plugins
	@$(PYTHON) -m pytest -q tests/integration
# All of MariaDB's own test files that $(WEIR_TRUTH)/mtr/list.txt names; make test takes a sample of them.
mtr: plugins
	@$(PYTHON) tests/mtr/main.py
SOAK_MINUTES ?= 30
soak: plugins
	@$(PYTHON) tests/soak/main.py --minutes $(SOAK_MINUTES)
# Real clients, directly and through weir: CLIENTS=PATTERN takes some.
CLIENTS ?=
clients:
	@tools/bootstrap.sh build run test clients
	@$(MAKE) --no-print-directory release plugins
	@$(PYTHON) tests/clients/main.py --write $(if $(CLIENTS),--only "$(CLIENTS)")
lint: release
	@tools/lint.sh
fuzz: fuzzers
	@tools/fuzz.sh
# Statements through the gateway, with the server as the judge: FUZZ_SECONDS, FUZZ_SEED, FUZZ_WORKERS.
fuzz-server: plugins
	@$(PYTHON) tests/fuzz_server/run.py
format:
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

.PHONY: bench bench-tls bench-sql bench-trace bench-audit bench-audit-read bench-firewall
bench: plugins
	@tools/bootstrap.sh bench
	@$(PYTHON) bench/run.py
	@$(PYTHON) bench/tls.py
bench-tls: release
	@tools/bootstrap.sh bench
	@$(PYTHON) bench/tls.py
bench-sql: release
	@ninja -C $(BUILD)/release bench-sql
bench-audit: plugins
	@tools/bootstrap.sh bench
	@ninja -C $(BUILD)/release bench-record
	@$(PYTHON) bench/audit/run.py
bench-audit-read: release
	@$(PYTHON) bench/audit/read.py
bench-firewall: release
	@tools/bootstrap.sh bench
	@$(PYTHON) bench/firewall/run.py
bench-trace: release
	@ninja -C $(BUILD)/release bench-trace

# Debian packages, into build/deb; the same twice, and are both the same bytes; in a clean Debian 12.
.PHONY: deb deb-twice test-deb
deb:
	@tools/bootstrap.sh build deb
	@tools/deb.sh
deb-twice:
	@tools/bootstrap.sh build deb
	@tools/deb.sh -twice
test-deb: deb
	@$(PYTHON) tests/packages/main.py --insist

# PREFIX=/usr/local, DESTDIR=: programs, man pages, headers, plugins, samples and documents.
PREFIX ?= /usr/local
.PHONY: install clean
install: release
	@cmake --install $(BUILD)/release --prefix $(PREFIX)
clean:
	@rm -rf $(BUILD) bin plugin/*/*.so

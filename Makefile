# The front door. `make run` and `make test` install what is missing on a bare Debian 12; `make` alone
# only builds. Everything else is CMake's: build/<kind> holds one configured build each.
PYTHON ?= /usr/bin/python3
BUILD  := build

.PHONY: all
all: release

.PHONY: release
release: $(BUILD)/release/build.ninja
	@ninja -C $(BUILD)/release

$(BUILD)/release/build.ninja:
	@cmake -G Ninja -S . -B $(BUILD)/release -DWEIR_BIN_DIR=$(CURDIR)/bin

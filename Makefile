# CARGO_TARGET_DIR is honoured everywhere; the default is target/.

.PHONY: demo test setup handlers lint fuzz chaos bench bench-place clean-local

demo: setup handlers ## Paint a picture on the local cloud, from nothing
	scripts/demo.sh

test: ## Format, lints, unit tests, end-to-end tests
	scripts/setup.sh tests
	scripts/test.sh

setup: ## Install what is missing: redis-server, python3-venv, MiniStack
	scripts/setup.sh

handlers: ## Build the Lambda binaries into target/lambda
	scripts/handlers.sh

lint: ## Format and lints alone
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings

fuzz: ## Ten million broken inputs for everything that reads what strangers send
	scripts/fuzz.sh

chaos: setup handlers ## Cut off up and teardown at every call, and see that they recover
	scripts/chaos.sh

bench: setup handlers ## Measure placectl, beside Terraform where it is installed
	scripts/bench.sh

bench-place: setup handlers ## Measure the data plane, beside the setup guide taken literally
	scripts/bench-place.sh

clean-local: ## End every local cloud of this user and remove its files
	scripts/clean-local.sh

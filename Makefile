# make        format, check and test: what to run before a commit
# make help   the other targets

tool := go tool -modfile=.ci/tools.mod
e2e  := conformance/e2e

.PHONY: all
all: fmt check test

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: fmt
fmt: ## Format the source
	$(tool) gofumpt -w .

.PHONY: check
check: ## Find mistakes without running anything
	go vet ./...
	$(tool) staticcheck ./...
	test -z "$$($(tool) gofumpt -l . | tee /dev/stderr)"

.PHONY: lint
lint: ## Find more of them, with golangci-lint, which is installed apart
	@command -v golangci-lint >/dev/null || { \
	  echo 'golangci-lint is not installed: go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0'; exit 1; }
	golangci-lint run ./...

# The limit of time is for what hangs: a machine that is busy takes long.
.PHONY: test
test: e2e-deps ## Install what the tests need and run all of them, with the race detector
	REVURB_REQUIRE_ALL=1 go test -race -timeout 40m ./...

chaos := 10m
nodes := 8
mode  := standalone

.PHONY: chaos
chaos: ## Break a cluster at random for a while: make chaos mode=standalone|sentinel|cluster chaos=10m nodes=8
	REVURB_REQUIRE_ALL=1 go test ./core/redis -run 'TestChaos$$' -v -timeout 0 -chaos $(chaos) -nodes $(nodes) -chaos-mode $(mode)

row :=

.PHONY: faults
faults: ## Break the Redis of real servers in all ways, and judge every 200: make faults row=sentinel-planned
	REVURB_REQUIRE_ALL=1 REVURB_LONG=1 go test ./conformance/cluster -run 'TestFaults$(if $(row),/$(row))' -v -timeout 0

.PHONY: refusals
refusals: ## Have Redis and sentinels refuse each step of a connection, in all ways
	REVURB_REQUIRE_ALL=1 REVURB_LONG=1 go test ./conformance/cluster -run 'TestRefusals' -v -timeout 0

.PHONY: e2e-deps
e2e-deps: $(e2e)/node_modules/.package-lock.json ## Install the clients and the browser of the end-to-end tests
	@.ci/chromium

$(e2e)/node_modules/.package-lock.json: $(e2e)/package.json $(e2e)/package-lock.json
	@command -v npm >/dev/null || { \
	  echo 'npm is not installed: install Node.js 20 or newer, with npm; go test ./... alone needs only Go'; exit 1; }
	npm ci --prefix $(e2e) --no-audit --no-fund
	@touch $@

.PHONY: e2e
e2e: e2e-deps ## Run only the end-to-end tests, and list their scenarios
	REVURB_REQUIRE_ALL=1 go test -race -timeout 40m -v ./$(e2e)

.PHONY: guests
guests: ## Build the guests again that are checked in, and compare
	@.ci/toolchains
	sdk/rebuild

.PHONY: mutants
mutants: ## Break our server on purpose, and see that the conformance suite notices
	go test ./conformance/mutants -run TestMutants -count=1 -timeout 40m -v

.PHONY: conformance
conformance: ## Judge a running server, URL=ws://... ID=... KEY=..., the secret in REVURB_CONFORMANCE_SECRET
	go run ./cmd/revurb conformance --url $(or $(URL),ws://127.0.0.1:8080) --app-id $(ID) --key $(KEY)

.PHONY: golden
golden: ## Rewrite the expectations of the transcripts; then read the diff
	go test ./core/conn ./core/api -rewrite

.PHONY: fuzz
fuzz: ## Fuzz the decoder for a minute
	go test ./core/protocol -run '^$$' -fuzz FuzzDecode -fuzztime 1m -fuzzminimizetime 1x

.PHONY: bench
bench: ## Measure
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: run
run: ## Run the server
	go run ./cmd/revurb start

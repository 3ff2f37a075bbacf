# `make help` lists what this can do. Needs a JDK 25 or newer and Maven 3.8 or newer.
#   M=registry-server   only this module and what it needs (check, fmt)
#   T=KvTableTest       only this test class or pattern (check, it, soak)
#   AOT=no              without the start-up cache, ten seconds quicker (build, it)

export JAVA_HOME := $(shell sh dev/find-jdk.sh)
ifeq ($(JAVA_HOME),)
ifneq ($(MAKECMDGOALS),help)
$(error no usable JDK, see the line above)
endif
endif

HOME_DIR := target/registry
STAMP := $(HOME_DIR)/.complete
# Quiet but for compiler warnings and the tests' own summary: .mvn/maven.config.
MVN := mvn -q -T1 $(MAVEN_ARGS)
# The tests that these leave out are nothing to talk of.
NO_UNIT_TESTS := -Dorg.slf4j.simpleLogger.log.org.apache.maven.plugin.surefire=warn
ONLY := $(if $(M),-pl $(M) -am)
TEST := $(if $(T),-Dtest='$(T)')
IT := $(if $(T),-Dit.test='$(T)')
comma := ,
MODULES := api-spec registry-server registry-agent haproxy-renderer
SOURCES := $(shell find pom.xml .mvn $(MODULES:%=%/pom.xml) $(wildcard $(MODULES:%=%/src/main)) dev/dist.sh dev/aot.sh -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help build run test check it fmt interop bench bench-haproxy soak dist clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 23

build: $(STAMP) ## package everything into target/registry

$(STAMP): $(SOURCES)
	@$(MVN) -pl $(subst $(eval ) ,$(comma),$(MODULES)) package -Dmaven.test.skip=true $(NO_UNIT_TESTS)
	@sh dev/dist.sh $(HOME_DIR)
	@AOT=$(AOT) sh dev/aot.sh $(HOME_DIR)
	@touch $@

run: build ## start an agent, three small backends, HAProxy and its companion
	@dev/run.sh

test: check it ## everything: format, compile, unit and integration tests

check: ## format, compile, unit tests
	@$(MVN) $(ONLY) spotless:check test $(TEST)

it: build ## integration tests against target/registry
	@$(MVN) -pl it-tests -am verify -DskipUnitTests $(NO_UNIT_TESTS) $(IT)

soak: build ## the long tests
	@$(MVN) -pl registry-server -am test -Dregistry.excludedGroups= -Dgroups=soak $(TEST)
	@$(MVN) -pl it-tests -am verify -DskipUnitTests $(NO_UNIT_TESTS) -Dregistry.excludedGroups= -Dgroups=soak $(IT)

bench: build ## measurements
	@dev/bench.sh

bench-haproxy: build ## measurements of HAProxy and its companion under faults
	@dev/bench-haproxy.sh

interop: build ## clients that others wrote, unmodified, against an agent
	@dev/interop.sh

fmt: ## format the Java sources
	@$(MVN) $(ONLY) spotless:apply

dist: build ## target/registry-VERSION.tar.gz
	@sh dev/tarball.sh $(HOME_DIR)

clean: ## remove everything that was built
	@rm -rf target $(addsuffix /target,$(MODULES) it-tests interop interop/java)

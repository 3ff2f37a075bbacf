package registry.agent.local;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static registry.agent.local.LocalFixture.NOTHING;
import static registry.agent.local.LocalFixture.files;
import static registry.agent.local.LocalFixture.service;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.check.Checks;
import registry.agent.check.ManualTimers;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.local.LocalState.Source;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.Weights;

class AntiEntropyTest {
    private static final Duration TTL = Duration.ofHours(1);

    private final FakeServers servers = new FakeServers();
    private final ManualTimers timers = new ManualTimers();

    @TempDir Path dir;
    private LocalFixture local;

    private LocalState open(Definitions files) throws Exception {
        local = LocalFixture.open(dir, servers, timers, files);
        return local.state;
    }

    @AfterEach
    void close() throws Exception {
        local.close();
    }

    @Test
    void nodeRegistersItselfAndWhatItsFilesDefine() throws Exception {
        open(files(service("web", "web", Checks.ttl("t", TTL, "passing"))));

        await().atMost(20, SECONDS).until(() -> servers.status("n1", "t").equals("passing"));
        assertThat(servers.node("n1").id()).isEqualTo("11111111-2222-3333-4444-555555555501");
        assertThat(servers.node("n1").taggedAddresses()).containsEntry("lan", "10.0.0.1");
        assertThat(servers.node("n1").meta()).containsEntry("consul-network-segment", "");
    }

    @Test
    void startsAsSoonAsThereIsALeader() throws Exception {
        servers.down();
        open(files(service("web", "web")));
        servers.up();

        await().atMost(10, SECONDS).until(() -> servers.services("n1").containsKey("web"));
    }

    @Test
    void entriesOfThisNodeThatItDoesNotKnowAreRemoved() throws Exception {
        servers.registerElsewhere(
                "n1", instance("stale", List.of()), check("stale check", "stale"));
        servers.registerElsewhere(
                "n1",
                instance("consul", List.of()),
                check(HealthCheck.SERF_HEALTH, ""),
                check("lonely", ""));
        servers.registerElsewhere("n2", instance("others", List.of()));
        open(NOTHING);

        await().atMost(20, SECONDS)
                .untilAsserted(() -> {
                    assertThat(servers.services("n1")).containsOnlyKeys("consul");
                    assertThat(servers.checks("n1")).containsOnlyKeys(HealthCheck.SERF_HEALTH);
                });
        assertThat(servers.services("n2")).containsOnlyKeys("others");
    }

    @Test
    void whatWasDeletedBehindItsBackComesBackSoon() throws Exception {
        open(files(service("web", "web", Checks.ttl("t", TTL), Checks.ttl("u", TTL))));
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").size() == 2);

        servers.deregisterElsewhere("n1", "", "u");
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").size() == 2);
        servers.deregisterElsewhere("n1", "web", "");
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").size() == 2);
        servers.deregisterElsewhere("n1", "", "");
        await().atMost(20, SECONDS)
                .until(() -> servers.checks("n1").size() == 2 && servers.node("n1") != null);
    }

    @Test
    void whatWasChangedBehindItsBackIsPutRight() throws Exception {
        open(files(service("web", "web", 80, List.of("a"), false)));
        await().atMost(20, SECONDS).until(() -> servers.services("n1").containsKey("web"));

        servers.registerElsewhere("n1", instance("web", List.of("other")));

        await().atMost(20, SECONDS)
                .until(() -> servers.services("n1").get("web").tags().equals(List.of("a")));
    }

    @Test
    void tagsThatMayBeOverriddenAreTakenOver() throws Exception {
        Definitions files =
                files(service("web", "web", 80, List.of("a"), true, Checks.ttl("t", TTL)));
        LocalState state = open(files);
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").containsKey("t"));
        String hash = state.service("web").orElseThrow().contentHash();

        servers.registerElsewhere("n1", instance("web", List.of("other"), true));
        await().atMost(20, SECONDS)
                .until(() -> state.services().get("web").tags().equals(List.of("other")));
        assertThat(state.checks().get("t").serviceTags()).containsExactly("other");
        assertThat(state.service("web").orElseThrow().contentHash()).isNotEqualTo(hash);

        // Also by an agent that starts again with its own tags in the file.
        local.close();
        LocalState restarted = open(files);
        await().atMost(20, SECONDS)
                .until(() -> restarted.services().get("web").tags().equals(List.of("other")));
        assertThat(servers.services("n1").get("web").tags()).containsExactly("other");

        // Whoever registers anew means it.
        restarted.addService(service("web", "web", 80, List.of("new"), true), Source.API, false);
        assertThat(servers.services("n1").get("web").tags()).containsExactly("new");
    }

    @Test
    void aLeaderWhoComesWhileHisAbsenceIsNoticedIsNotMissed() throws Exception {
        servers.downUntilLookedAt();
        open(files(service("web", "web")));
        await().atMost(5, SECONDS).until(() -> servers.services("n1").containsKey("web"));
    }

    @Test
    void aNewStateIsInTheCatalogueWhenItsReportHasReturned() throws Exception {
        LocalState state = open(files(service("web", "web", Checks.ttl("t", TTL))));
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").containsKey("t"));
        for (String status : List.of("passing", "warning", "critical", "passing")) {
            state.updateTtl("t", status, "");
            assertThat(servers.status("n1", "t")).isEqualTo(status);
        }
    }

    @Test
    void refusedServiceHoldsUpNobodyElse() throws Exception {
        servers.refuse("bad");
        LocalState state =
                open(files(service("bad", "bad"), service("good", "good", Checks.ttl("t", TTL))));
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").containsKey("t"));

        state.updateTtl("t", "passing", "");
        await().atMost(20, SECONDS).until(() -> servers.status("n1", "t").equals("passing"));
        servers.refuse("");
        state.addService(service("bad", "bad"), Source.API, false);
        assertThat(servers.services("n1")).containsKeys("bad", "good");
    }

    @Test
    void checkWhoseServiceWasDeletedBringsItAlong() throws Exception {
        LocalState state = open(NOTHING);
        state.addService(service("web", "web", Checks.ttl("t", TTL)), Source.API, false);
        servers.deregisterElsewhere("n1", "web", "");
        state.addCheck(Checks.onService(Checks.ttl("u", TTL), "web"), Source.API);

        assertThat(servers.services("n1")).containsKey("web");
        assertThat(servers.checks("n1")).containsKey("u");
    }

    @Test
    void changedDescriptionOfTheNodeIsRegistered() throws Exception {
        LocalState state = open(NOTHING);
        await().atMost(20, SECONDS).until(() -> servers.node("n1") != null);
        var node = LocalFixture.node();
        var meta = new TreeMap<>(Map.of("rack", "r1"));
        state.updateNode(
                new Node(
                        node.id(),
                        node.node(),
                        node.address(),
                        node.datacenter(),
                        node.taggedAddresses(),
                        meta,
                        0,
                        0));

        await().atMost(20, SECONDS).until(() -> servers.node("n1").meta().containsKey("rack"));
    }

    @Test
    void nothingIsPushedWhenNothingHasChanged() throws Exception {
        LocalState state = open(files(service("web", "web", Checks.ttl("t", TTL, "passing"))));
        await().atMost(20, SECONDS).until(() -> servers.checks("n1").containsKey("t"));
        state.updateTtl("t", "passing", "");
        long before = servers.callCount();
        for (int i = 0; i < 50; i++) {
            state.updateTtl("t", "passing", "");
            servers.registerElsewhere("n2", instance("noise" + i, List.of()));
        }

        await().during(Duration.ofMillis(1200))
                .atMost(3, SECONDS)
                .until(() -> servers.callCount() == before + 50);
    }

    private static NodeService instance(String id, List<String> tags) {
        return instance(id, tags, false);
    }

    private static NodeService instance(String id, List<String> tags, boolean override) {
        return new NodeService(
                "", id, id, tags, "", null, null, 80, Weights.DEFAULT, override, 0, 0);
    }

    private static HealthCheck check(String id, String serviceId) {
        return new HealthCheck(
                "n1",
                id,
                id,
                "passing",
                "",
                "",
                serviceId,
                "",
                List.of(),
                "",
                HealthCheckDefinition.NONE,
                0,
                0);
    }
}

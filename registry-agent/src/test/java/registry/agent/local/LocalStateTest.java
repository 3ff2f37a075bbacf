package registry.agent.local;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static registry.agent.local.LocalFixture.NOTHING;
import static registry.agent.local.LocalFixture.files;
import static registry.agent.local.LocalFixture.service;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import registry.agent.check.CheckHistory.Transition;
import registry.agent.check.Checks;
import registry.agent.check.ManualTimers;
import registry.agent.config.AgentConfig.Definitions;
import registry.agent.config.ServiceDefinition;
import registry.agent.local.LocalState.Source;
import registry.api.ApiException;
import registry.api.HealthCheck;
import registry.api.ServiceAddress;
import registry.api.Weights;
import registry.server.storage.NodeStore;

class LocalStateTest {
    private static final Duration TTL = Duration.ofSeconds(30);

    private final FakeServers servers = new FakeServers();
    private final ManualTimers timers = new ManualTimers();

    @TempDir Path dir;
    private LocalFixture local;
    private LocalState state;

    @BeforeEach
    void open() throws Exception {
        open(NOTHING);
    }

    @AfterEach
    void close() throws Exception {
        local.close();
    }

    private void open(Definitions files) throws Exception {
        if (local != null) {
            local.close();
        }
        local = LocalFixture.open(dir, servers, timers, files);
        state = local.state;
    }

    private void add(ServiceDefinition service) {
        state.addService(service, Source.API, false);
    }

    private String status(String checkId) {
        HealthCheck check = state.checks().get(checkId);
        return check == null ? "" : check.status();
    }

    @Test
    void registrationIsInTheCatalogueWhenItReturnsAsOneChange() {
        add(service("web1", "web", Checks.ttl("", TTL, "passing")));

        assertThat(servers.services("n1").get("web1").service()).isEqualTo("web");
        assertThat(servers.services("n1").get("web1").meta()).isNull();
        assertThat(servers.status("n1", "service:web1")).isEqualTo("passing");
        assertThat(servers.registrations().stream().filter(r -> r.service() != null)).hasSize(1);
    }

    @Test
    void checksOfAServiceGetIdsNamesAndAState() {
        add(service("one", "web", Checks.ttl("", TTL)));
        add(
                service(
                        "two",
                        "web",
                        Checks.ttl("own", TTL, "warning"),
                        Checks.ttl("", TTL),
                        Checks.ttl("", TTL)));

        assertThat(state.checks().keySet())
                .containsExactly("own", "service:one", "service:two:2", "service:two:3");
        HealthCheck check = state.checks().get("service:one");
        assertThat(check.name()).isEqualTo("Service 'web' check");
        assertThat(check.status()).isEqualTo("critical");
        assertThat(check.type()).isEqualTo("ttl");
        assertThat(check.serviceName()).isEqualTo("web");
        assertThat(status("own")).isEqualTo("warning");
    }

    @Test
    void addressOfAServiceIsTaggedWithItsFamily() {
        var tagged = new TreeMap<String, ServiceAddress>();
        tagged.put("wan", new ServiceAddress("198.18.0.1", 80));
        add(addressed("v4", "10.1.2.3", tagged));
        add(addressed("v6", "2001:db8::1", new TreeMap<>()));
        add(addressed("name", "db.example", new TreeMap<>()));

        var own = new ServiceAddress("10.1.2.3", 80);
        assertThat(state.services().get("v4").taggedAddresses())
                .containsEntry("lan_ipv4", own)
                .containsEntry("wan_ipv4", own)
                .containsEntry("wan", new ServiceAddress("198.18.0.1", 80))
                .hasSize(3);
        assertThat(state.services().get("v6").taggedAddresses())
                .containsOnlyKeys("lan_ipv6", "wan_ipv6");
        assertThat(state.services().get("name").taggedAddresses()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"lan_ipv4,::1,ipv4", "wan_ipv4,x,ipv4", "lan_ipv6,10.0.0.1,ipv6", "wan_ipv6,,ipv6"})
    void taggedAddressOfTheWrongFamilyIsRefused(String tag, String address, String family) {
        var tagged = new TreeMap<String, ServiceAddress>();
        tagged.put(tag, new ServiceAddress(address == null ? "" : address, 1));

        assertThatThrownBy(() -> add(addressed("x", "", tagged)))
                .isInstanceOf(ApiException.class)
                .hasMessage(
                        "Service tagged address \""
                                + tag
                                + "\" must be a valid "
                                + family
                                + " address");
        assertThat(state.services()).isEmpty();
    }

    private static ServiceDefinition addressed(
            String id, String address, TreeMap<String, ServiceAddress> tagged) {
        return new ServiceDefinition(
                id,
                id,
                List.of(),
                address,
                80,
                new TreeMap<>(),
                tagged,
                Weights.DEFAULT,
                false,
                "",
                "",
                List.of());
    }

    @Test
    void contentHashChangesWithTheDefinitionOnly() {
        add(service("web", "web"));
        String hash = state.service("web").orElseThrow().contentHash();
        assertThat(hash).matches("[0-9a-f]{16}");
        assertThat(state.services().get("web").contentHash()).isNull();

        add(service("web", "web", Checks.ttl("", TTL)));
        assertThat(state.service("web").orElseThrow().contentHash()).isEqualTo(hash);

        add(service("web", "web", 81, List.of(), false));
        assertThat(state.service("web").orElseThrow().contentHash()).isNotEqualTo(hash);
    }

    @Test
    void watcherHearsOfItsServiceUntilItIsDropped() {
        var heard = new AtomicInteger();
        Runnable drop = state.watchService("web", heard::incrementAndGet);
        add(service("web", "web"));
        add(service("other", "web"));
        state.removeService("web");
        assertThat(heard).hasValue(2);

        drop.run();
        add(service("web", "web"));
        assertThat(heard).hasValue(2);
    }

    @Test
    void idsDifferInMoreThanCase() {
        add(service("Web", "web", Checks.ttl("", TTL)));
        add(service("wEB", "web", Checks.ttl("", TTL)));

        assertThat(state.services()).containsOnlyKeys("wEB");
        assertThat(state.checks()).containsOnlyKeys("service:wEB");
        assertThat(state.removeService("WEB")).isTrue();
        assertThat(state.checks()).isEmpty();
    }

    @Test
    void otherChecksStayUnlessTheyAreToBeReplaced() {
        add(service("web", "web", Checks.ttl("a", TTL), Checks.ttl("b", TTL)));
        state.serviceMaintenance("web", true, "why");
        add(service("web", "web"));
        assertThat(state.checks()).containsOnlyKeys("a", "b", "_service_maintenance:web");

        state.addService(
                service("web", "web", Checks.ttl("b", TTL), Checks.ttl("c", TTL)),
                Source.API,
                true);
        assertThat(state.checks()).containsOnlyKeys("b", "c", "_service_maintenance:web");
        assertThat(servers.checks("n1")).containsOnlyKeys("b", "c", "_service_maintenance:web");
    }

    @Test
    void checkThatIsRegisteredAnewBeginsAnew() {
        add(service("web", "web", Checks.ttl("a", TTL)));
        state.updateTtl("a", "passing", "fine");
        add(service("web", "web", Checks.ttl("a", TTL)));

        assertThat(status("a")).isEqualTo("critical");
        assertThat(state.checks().get("a").output()).isEmpty();
    }

    @Test
    void deregistrationIsInTheCatalogueWhenItReturns() {
        add(service("web", "web", Checks.ttl("a", TTL)));

        assertThat(state.removeService("web")).isTrue();
        assertThat(state.removeService("web")).isFalse();
        assertThat(servers.services("n1")).isEmpty();
        assertThat(servers.checks("n1")).isEmpty();
    }

    @Test
    void checkOnItsOwnBelongsToTheNodeOrToAServiceThatExists() {
        state.addCheck(Checks.ttl("node ttl", TTL, "passing"), Source.API);
        assertThat(servers.status("n1", "node ttl")).isEqualTo("passing");

        assertThatThrownBy(() ->
                        state.addCheck(Checks.onService(Checks.ttl("x", TTL), "nope"), Source.API))
                .isInstanceOf(ApiException.class)
                .hasMessage("ServiceID \"nope\" does not exist");

        add(service("web", "web"));
        state.addCheck(Checks.onService(Checks.ttl("x", TTL), "web"), Source.API);
        assertThat(state.checksOf("web").stream().map(HealthCheck::checkId))
                .containsExactly("node ttl", "x");
        assertThat(state.removeCheck("x")).isTrue();
        assertThat(state.removeCheck("x")).isFalse();
        assertThat(servers.checks("n1")).containsOnlyKeys("node ttl");
    }

    @Test
    void onlyTtlChecksCanBeReported() {
        state.addCheck(Checks.tcp("tcp", Duration.ofMinutes(5), "127.0.0.1:1"), Source.API);
        for (String id : List.of("tcp", "nope")) {
            assertThatThrownBy(() -> state.updateTtl(id, "passing", ""))
                    .isInstanceOf(ApiException.class)
                    .hasMessage("CheckID \"" + id + "\" does not have associated TTL");
        }
    }

    @Test
    void changeOfStateIsPushedAtOnce() {
        add(service("web", "web", Checks.ttl("a", TTL)));
        state.updateTtl("a", "passing", "fine");

        await().atMost(20, SECONDS).until(() -> servers.status("n1", "a").equals("passing"));
        assertThat(servers.checks("n1").get("a").output()).isEqualTo("fine");
    }

    @Test
    void changeOfOutputAloneIsPushedInGoodTime() {
        add(service("web", "web", Checks.ttl("a", Duration.ofHours(1), "passing")));
        state.updateTtl("a", "passing", "one");
        long before = servers.callCount();
        state.updateTtl("a", "passing", "two");
        timers.advance(Duration.ofSeconds(140));
        assertThat(servers.callCount()).isEqualTo(before);
        assertThat(state.checks().get("a").output()).isEqualTo("two");

        timers.advance(Duration.ofSeconds(320));
        await().atMost(20, SECONDS)
                .until(() -> servers.checks("n1").get("a").output().equals("two"));
    }

    @Test
    void longOutputIsCutAtItsEnd() {
        state.addCheck(Checks.ttl("a", TTL), Source.API);
        state.updateTtl("a", "passing", "x".repeat(5000));
        assertThat(state.checks().get("a").output())
                .hasSize(4130)
                .endsWith("x ... (captured 4096 of 5000 bytes)");

        state.addCheck(Checks.sized("b", TTL, 5), Source.API);
        state.updateTtl("b", "passing", "ab€cd");
        assertThat(state.checks().get("b").output()).isEqualTo("ab€ ... (captured 5 of 7 bytes)");
        state.updateTtl("b", "passing", "abc€d");
        assertThat(state.checks().get("b").output()).isEqualTo("abc ... (captured 5 of 7 bytes)");
    }

    @Test
    void discardedOutputIsEmpty() {
        state.addCheck(Checks.ttl("a", TTL), Source.API);
        state.discardCheckOutput(true);
        state.updateTtl("a", "passing", "noise");

        assertThat(state.checks().get("a").output()).isEmpty();
    }

    @Test
    void silentTtlCheckTurnsCriticalWithItsLastWords() {
        state.addCheck(Checks.ttl("a", TTL), Source.API);
        state.updateTtl("a", "passing", "fine");
        timers.advance(TTL.minusMillis(1));
        state.updateTtl("a", "passing", "fine");
        timers.advance(TTL.minusMillis(1));
        assertThat(status("a")).isEqualTo("passing");

        timers.advance(Duration.ofMillis(1));
        await().atMost(20, SECONDS).until(() -> status("a").equals("critical"));
        assertThat(state.checks().get("a").output())
                .isEqualTo("TTL expired (last output before timeout follows): fine");
    }

    @Test
    void maintenanceIsACriticalCheckWithItsReason() {
        add(service("web", "web"));
        state.serviceMaintenance("web", true, "my reason");
        state.serviceMaintenance("web", true, "another");
        state.nodeMaintenance(true, "");

        HealthCheck check = state.checks().get("_service_maintenance:web");
        assertThat(check.name()).isEqualTo("Service Maintenance Mode");
        assertThat(check.notes()).isEqualTo("my reason");
        assertThat(check.type()).isEqualTo("maintenance");
        assertThat(check.status()).isEqualTo("critical");
        assertThat(state.checks().get("_node_maintenance").notes())
                .startsWith("Maintenance mode is enabled for this node,");
        assertThat(servers.checks("n1"))
                .containsOnlyKeys("_node_maintenance", "_service_maintenance:web");

        state.nodeMaintenance(false, "");
        state.serviceMaintenance("web", false, "");
        assertThat(servers.checks("n1")).isEmpty();
        assertThatThrownBy(() -> state.serviceMaintenance("nope", true, ""))
                .isInstanceOf(ApiException.class)
                .hasMessage("No service registered with ID \"nope\"");
    }

    @Test
    void scriptsOfTheApiNeedPermission() {
        var check = Checks.script("s", Duration.ofMinutes(1), "true");
        String text =
                "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true";

        assertThatThrownBy(() -> state.addCheck(check, Source.API))
                .isInstanceOf(ApiException.class)
                .hasMessage(text);
        assertThatThrownBy(() -> add(service("web", "web", check)))
                .isInstanceOf(ApiException.class)
                .hasMessage(text);
        assertThat(state.services()).isEmpty();
        state.reload(files(service("web", "web", check)));
        assertThat(state.checks()).containsOnlyKeys("s");
    }

    @Test
    void aliasFollowsItsServiceBeforeTheRegistrationReturns() {
        add(service("db", "db"));
        add(service("web", "web", Checks.alias("al", "", "db")));
        assertThat(servers.status("n1", "al")).isEqualTo("passing");
        assertThat(state.checks().get("al").output()).isEqualTo("No checks found.");

        state.addCheck(Checks.onService(Checks.ttl("alive", TTL), "db"), Source.API);
        state.updateTtl("alive", "passing", "");
        assertThat(status("al")).isEqualTo("passing");
        state.updateTtl("alive", "warning", "slow");
        assertThat(state.checks().get("al").output())
                .isEqualTo("Aliased check \"alive\" failing: slow");
        assertThat(status("al")).isEqualTo("warning");

        state.removeService("db");
        assertThat(state.checks().get("al").output())
                .isEqualTo("Service db could not be found on node ");
    }

    @Test
    void aliasesInACircleEnd() {
        add(service("a", "a"));
        add(service("b", "b"));
        state.addCheck(Checks.onService(Checks.alias("ab", "", "b"), "a"), Source.API);
        state.addCheck(Checks.onService(Checks.alias("ba", "", "a"), "b"), Source.API);
        state.addCheck(Checks.onService(Checks.ttl("t", TTL), "a"), Source.API);

        assertThat(status("ba")).isEqualTo("critical");
    }

    @Test
    void serviceThatIsCriticalForTooLongIsDeregistered() {
        add(
                service(
                        "web",
                        "web",
                        Checks.reaped("a", Duration.ofSeconds(10), Duration.ofSeconds(5))));
        timers.advance(Duration.ofSeconds(10));
        await().atMost(20, SECONDS)
                .until(() -> state.checks().get("a").output().startsWith("TTL expired"));
        timers.advance(Duration.ofSeconds(55));
        assertThat(state.services()).containsKey("web");

        timers.advance(Duration.ofSeconds(40));
        await().atMost(20, SECONDS).until(() -> servers.services("n1").isEmpty());
    }

    @Test
    void historyTellsChangesOfStateOnly() {
        state.addCheck(Checks.ttl("a", TTL), Source.API);
        assertThat(local.store.of("a")).isEmpty();
        state.updateTtl("a", "critical", "first\nsecond");
        state.updateTtl("a", "critical", "other");
        timers.advance(Duration.ofMillis(1500));
        state.updateTtl("a", "passing", "");

        assertThat(local.store.of("a"))
                .containsExactly(
                        new Transition("2026-03-01T10:00:00.000Z", "", "critical", "first"),
                        new Transition("2026-03-01T10:00:01.500Z", "critical", "passing", ""));
        assertThat(local.store.of("A")).hasSize(2);
        assertThat(local.store.of("nope")).isEmpty();
    }

    // Restarts

    @Test
    void everythingOfTheApiIsThereAfterARestartWithItsState() throws Exception {
        add(service("web", "web", Checks.ttl("a", TTL), Checks.ttl("b", TTL)));
        state.addCheck(Checks.ttl("node", TTL), Source.API);
        state.serviceMaintenance("web", true, "why");
        state.updateTtl("a", "passing", "fine");
        state.updateTtl("node", "warning", "hm");
        var services = state.services();
        var checks = state.checks();

        timers.advance(Duration.ofSeconds(20));
        open(NOTHING);

        assertThat(state.services()).isEqualTo(services);
        assertThat(state.checks()).isEqualTo(checks);
        timers.advance(Duration.ofSeconds(20));
        assertThat(status("a")).isEqualTo("passing");
    }

    @Test
    void restartDoesNotTouchTheCatalogue() throws Exception {
        add(service("web", "web", Checks.ttl("a", TTL)));
        state.updateTtl("a", "passing", "fine");
        await().atMost(20, SECONDS).until(() -> servers.status("n1", "a").equals("passing"));
        long before = servers.callCount();

        open(NOTHING);
        add(service("other", "other"));

        assertThat(servers.callCount()).isEqualTo(before + 1);
    }

    @Test
    void ttlThatHasPassedMeanwhileIsCritical() throws Exception {
        state.addCheck(Checks.ttl("a", TTL), Source.API);
        state.updateTtl("a", "passing", "fine");
        local.close();
        local = null;
        timers.close();
        timers.advance(Duration.ofMinutes(2));
        open(NOTHING);

        assertThat(status("a")).isEqualTo("critical");
        assertThat(state.checks().get("a").output())
                .isEqualTo("TTL expired (last output before timeout follows): fine");
    }

    @Test
    void removedOnesDoNotComeBack() throws Exception {
        add(service("web", "web", Checks.ttl("a", TTL)));
        add(service("db", "db", Checks.ttl("b", TTL)));
        state.removeService("web");
        state.removeCheck("b");

        open(NOTHING);

        assertThat(state.services()).containsOnlyKeys("db");
        assertThat(state.checks()).isEmpty();
    }

    @Test
    void fileWinsOverTheApiAtLoad() throws Exception {
        add(service("web", "api", Checks.ttl("a", TTL)));
        Definitions files = files(service("web", "file", Checks.ttl("f", TTL)));

        open(files);
        assertThat(state.services().get("web").service()).isEqualTo("file");
        assertThat(state.checks()).containsOnlyKeys("a", "f");

        open(NOTHING);
        assertThat(state.services()).isEmpty();
    }

    @Test
    void stateOfAFilesCheckSurvivesARestart() throws Exception {
        Definitions files = files(service("web", "web", Checks.ttl("", TTL)));
        open(files);
        state.updateTtl("service:web", "passing", "fine");

        open(files);
        assertThat(status("service:web")).isEqualTo("passing");
        assertThat(local.store.of("service:web")).hasSize(1);
    }

    // Reloads

    @Test
    void reloadDoesNotTouchWhatIsAsBefore() throws Exception {
        Path runs = dir.resolve("runs");
        var script = Checks.script("s", Duration.ofHours(1), "echo run >>" + runs);
        state.reload(
                files(service("web", "web", script, Checks.ttl("t", TTL)), service("old", "old")));
        timers.advance(Duration.ofSeconds(1));
        await().atMost(20, SECONDS).until(() -> status("s").equals("passing"));
        state.updateTtl("t", "passing", "fine");
        await().atMost(20, SECONDS)
                .until(() ->
                        servers.status("n1", "t").equals("passing")
                                && servers.status("n1", "s").equals("passing"));
        long before = servers.callCount();

        state.reload(
                files(service("web", "web", script, Checks.ttl("t", TTL)), service("new", "new")));
        timers.advance(Duration.ofSeconds(10));
        await().atMost(20, SECONDS)
                .until(() ->
                        servers.services("n1").containsKey("new")
                                && !servers.services("n1").containsKey("old"));

        assertThat(status("t")).isEqualTo("passing");
        assertThat(Files.readAllLines(runs)).hasSize(1);
        assertThat(servers.callCount()).isEqualTo(before + 2);
        timers.advance(Duration.ofSeconds(25));
        await().atMost(20, SECONDS).until(() -> status("t").equals("critical"));
    }

    @Test
    void changedDefinitionKeepsTheStateOfItsChecks() {
        state.reload(files(service("web", "web", Checks.ttl("t", TTL), Checks.ttl("gone", TTL))));
        state.updateTtl("t", "passing", "fine");

        state.reload(
                files(
                        service(
                                "web",
                                "web",
                                81,
                                List.of("x"),
                                false,
                                Checks.ttl("t", Duration.ofSeconds(60)))));

        assertThat(status("t")).isEqualTo("passing");
        assertThat(state.checks()).containsOnlyKeys("t");
        assertThat(state.checks().get("t").serviceTags()).containsExactly("x");
        await().atMost(20, SECONDS)
                .until(() ->
                        servers.services("n1").get("web").port() == 81
                                && servers.checks("n1").size() == 1);
    }

    @Test
    void reloadLeavesTheApisAlone() {
        add(service("api", "api", Checks.ttl("a", TTL, "passing")));
        state.reload(files(service("web", "web")));
        state.reload(NOTHING);

        assertThat(state.services()).containsOnlyKeys("api");
        assertThat(status("a")).isEqualTo("passing");
    }

    @Test
    void reloadTakesBackWhatTheApiReplaced() {
        state.reload(files(service("web", "file")));
        add(service("web", "api"));
        state.reload(files(service("web", "file")));

        assertThat(state.services().get("web").service()).isEqualTo("file");
    }

    @Test
    void badReloadChangesNothing() {
        state.reload(files(service("web", "web")));
        var lonely =
                new Definitions(
                        List.of(),
                        List.of(Checks.onService(Checks.ttl("x", TTL), "nope")),
                        List.of());

        assertThatThrownBy(() -> state.reload(lonely))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("ServiceID \"nope\" does not exist");
        assertThat(state.services()).containsOnlyKeys("web");
    }

    @Test
    void checksOfFilesOnTheirOwnComeAndGo() {
        state.reload(files(Checks.ttl("one", TTL), Checks.ttl("two", TTL)));
        state.updateTtl("one", "passing", "");
        state.reload(files(Checks.ttl("one", TTL), Checks.ttl("three", TTL)));

        assertThat(state.checks()).containsOnlyKeys("one", "three");
        assertThat(status("one")).isEqualTo("passing");
    }

    @Test
    void refusedPushDoesNotRefuseTheRegistration() {
        servers.down();
        add(service("web", "web"));
        assertThat(state.services()).containsKey("web");

        servers.up();
        await().atMost(20, SECONDS).until(() -> servers.services("n1").containsKey("web"));
    }

    @Test
    void stoppedAgentLeavesNoScriptBehind() throws Exception {
        Path pid = dir.resolve("pid");
        state.reload(
                files(Checks.script("s", Duration.ofHours(1), "echo $$ >" + pid + "; sleep 600")));
        timers.advance(Duration.ofSeconds(1));
        await().atMost(20, SECONDS).until(() -> Files.exists(pid) && Files.size(pid) > 1);

        open(NOTHING);

        await().atMost(20, SECONDS)
                .until(() ->
                        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).isEmpty());
    }

    @Test
    void apiWaitsForWhatWasThereBefore() throws Exception {
        add(service("old", "old"));
        local.close();
        try (var nodeStore = NodeStore.open(dir);
                var store = new LocalStore(nodeStore);
                var early =
                        new LocalState(
                                LocalFixture.config(Duration.ZERO),
                                store,
                                servers,
                                timers,
                                new SplittableRandom(1))) {
            Thread registering =
                    Thread.ofVirtual()
                            .start(() ->
                                    early.addService(service("new", "new"), Source.API, false));
            await().atMost(20, SECONDS).until(() -> registering.getState() == Thread.State.WAITING);
            early.load(NOTHING);
            registering.join();

            assertThat(early.services()).containsOnlyKeys("new", "old");
        }
        open(NOTHING);
        assertThat(state.services()).containsOnlyKeys("new", "old");
    }
}

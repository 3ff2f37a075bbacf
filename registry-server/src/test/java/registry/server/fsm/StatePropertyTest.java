package registry.server.fsm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import registry.api.ApiException;
import registry.api.CatalogDeregistration;
import registry.api.CatalogRegistration;
import registry.api.HealthCheck;
import registry.api.HealthCheckDefinition;
import registry.api.KvWrite;
import registry.api.NodeService;
import registry.api.Weights;
import registry.api.json.Json;
import registry.server.TestServer;
import registry.server.leader.Members;
import registry.server.raft.Applier;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;

/**
 * Random commands against {@link NaiveModel}: after each one every question has the model's rows
 * and index, no index has fallen, an equal index means an equal answer, and whoever was parked on a
 * question whose answer has changed is woken.
 *
 * <p>{@code -Dregistry.property.commands=100000 -Dregistry.property.seed=…}
 */
class StatePropertyTest {
    private static final int COMMANDS = Integer.getInteger("registry.property.commands", 2000);
    private static final List<String> NODES = List.of("n1", "N1", "n2", "x\0y", "x\0Y", "n3");
    private static final List<String> NODE_IDS =
            List.of(
                    "",
                    "",
                    "11111111-2222-3333-4444-555555555501",
                    "11111111-2222-3333-4444-555555555502",
                    "11111111-2222-3333-4444-555555555503");
    private static final List<String> SERVICES = List.of("web", "Web", "web2", "db", "we");
    private static final List<String> SERVICE_IDS = List.of("a", "A", "b", "c/d", "w\0");
    private static final List<String> CHECK_IDS = List.of("serfHealth", "c1", "C1", "c2");
    private static final List<String> STATUSES = List.of("passing", "warning", "critical", "");
    private static final List<String> KEYS =
            List.of("a", "a/", "a/b", "a/b/c", "a/bc", "b", "\uE000", "\ud83d\ude00", "a/\uE000x");
    private static final List<String> PREFIXES =
            List.of("", "a", "a/", "a/b", "a/b/", "zz", "\uE000", "\ud83d\ude00");

    private final TestServer test = new TestServer();
    private final NaiveModel model = new NaiveModel();
    private final Map<Question, Reply> last = new LinkedHashMap<>();
    private final Map<Question, TestServer.Answer> parked = new LinkedHashMap<>();
    private Object command = "";
    private SplittableRandom random = new SplittableRandom();

    @Test
    void randomCommandsGiveTheModelsRowsAndIndexesAndWakeWhoWaits() throws Exception {
        long seed = Long.getLong("registry.property.seed", System.nanoTime());
        random = new SplittableRandom(seed);
        int done = 0;
        // Known to gossip and about to leave: the leader has nothing to say of them.
        NODES.forEach(node -> test.members.put(node, "", 0, Members.State.LEAVING));
        try (test) {
            for (; done < COMMANDS; done++) {
                command();
                compare();
                everyQuestion();
                if (done % 100 == 99) {
                    restore();
                    everyQuestion();
                }
            }
        } catch (Throwable e) {
            throw new AssertionError(
                    "-Dregistry.property.seed="
                            + seed
                            + " failed at command "
                            + done
                            + ": "
                            + command,
                    e);
        }
    }

    private void command() {
        switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> register();
            case 4, 5 -> deregister();
            case 6, 7, 8 -> kv();
            default -> {
                if (random.nextInt(20) == 0) {
                    reap();
                } else {
                    kv();
                }
            }
        }
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private void register() {
        NodeService service = null;
        if (random.nextInt(3) > 0) {
            List<String> tags = random.nextBoolean() ? List.of() : List.of("t" + random.nextInt(2));
            service =
                    new NodeService(
                            "",
                            any(SERVICE_IDS),
                            any(SERVICES),
                            tags,
                            "",
                            null,
                            null,
                            random.nextInt(2),
                            new Weights(1, 1),
                            false,
                            0,
                            0);
        }
        List<HealthCheck> checks = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            String bound = random.nextBoolean() ? "" : any(SERVICE_IDS);
            // Twice the same check in one command would hide what was between from the model.
            String id = CHECK_IDS.get(i == 1 ? random.nextInt(3) : 3);
            checks.add(
                    new HealthCheck(
                            "",
                            id,
                            "name",
                            any(STATUSES),
                            "",
                            "out" + random.nextInt(2),
                            bound,
                            "",
                            List.of(),
                            "",
                            HealthCheckDefinition.NONE,
                            0,
                            0));
        }
        var registration =
                new CatalogRegistration(
                        "",
                        any(NODE_IDS),
                        any(NODES),
                        "10.0.0." + random.nextInt(2),
                        null,
                        random.nextBoolean() ? null : new TreeMap<>(Map.of("k", "v")),
                        service,
                        checks,
                        random.nextInt(4) == 0);
        command = registration;
        boolean expected = model.catalog(() -> model.register(registration));
        boolean accepted = accepted(() -> test.server.call(Method.CATALOG_REGISTER, registration));
        assertThat(accepted).as("%s", registration).isEqualTo(expected);
    }

    private static boolean accepted(Runnable call) {
        try {
            call.run();
            return true;
        } catch (ApiException e) {
            assertThat(e.kind()).as(e.text()).isEqualTo(ApiException.Kind.REFUSED);
            return false;
        }
    }

    private void deregister() {
        int what = random.nextInt(6);
        var target =
                new CatalogDeregistration(
                        "",
                        any(NODES),
                        what < 3 ? any(SERVICE_IDS) : "",
                        what == 3 || what == 4 ? any(CHECK_IDS) : "");
        command = target;
        model.catalog(() -> model.deregister(target));
        test.server.call(Method.CATALOG_DEREGISTER, target);
    }

    private void kv() {
        KvWrite.Verb verb =
                any(
                        List.of(
                                KvWrite.Verb.SET,
                                KvWrite.Verb.SET,
                                KvWrite.Verb.CAS,
                                KvWrite.Verb.DELETE,
                                KvWrite.Verb.DELETE_CAS,
                                KvWrite.Verb.DELETE_TREE));
        String key = verb == KvWrite.Verb.DELETE_TREE ? any(PREFIXES) : any(KEYS);
        NaiveModel.K now = model.kvs.get(key);
        long index = now != null && random.nextBoolean() ? now.modify() : random.nextInt(3);
        var write =
                new KvWrite(
                        verb,
                        key,
                        List.of("", "1", "2").get(random.nextInt(3)).getBytes(UTF_8),
                        random.nextInt(2),
                        index,
                        null);
        command = write;
        boolean expected = model.kv(write);
        assertThat(test.server.call(Method.KV_APPLY, write)).isEqualTo(expected);
    }

    private void reap() {
        test.nanos.addAndGet(Duration.ofMinutes(16).toNanos());
        boolean due = !model.graves.isEmpty();
        test.members.put("nobody", "", 0, Members.State.LEAVING);
        if (due) {
            model.time = Long.MAX_VALUE / 2;
            model.reap(0);
            model.index++;
            await().until(() -> test.consensus.index() == model.index);
        }
    }

    private static List<String> distinct(List<String> names) {
        return names.stream().map(NaiveModel::fold).distinct().toList();
    }

    private JsonNode rows(String method, String name, long index, String... params) {
        Reply reply = test.get(method, name, params);
        assertThat(reply.index())
                .as("index of %s %s %s", method, name, List.of(params))
                .isEqualTo(Math.max(1, index));
        return reply.found() ? Json.tree(reply.body()) : Json.tree("[]".getBytes(UTF_8));
    }

    private static List<String> lines(JsonNode list, String... fields) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(row -> line(row, fields))
                .toList();
    }

    private static String line(JsonNode row, String... fields) {
        var out = new StringBuilder();
        for (String field : fields) {
            out.append(row.at("/" + field)).append(' ');
        }
        return out.toString();
    }

    private static String quoted(Object... values) {
        var out = new StringBuilder();
        for (Object value : values) {
            out.append(new String(Json.write(value), UTF_8)).append(' ');
        }
        return out.toString();
    }

    private void compare() {
        assertThat(
                        lines(
                                rows(Question.CATALOG_NODES, "", model.nodesIndex),
                                "Node",
                                "ID",
                                "Address",
                                "Meta",
                                "CreateIndex",
                                "ModifyIndex"))
                .isEqualTo(
                        model.nodes.values().stream()
                                .map(n ->
                                        quoted(
                                                n.name(),
                                                n.id(),
                                                n.address(),
                                                n.meta(),
                                                n.create(),
                                                n.modify()))
                                .toList());
        for (String name : distinct(SERVICES)) {
            compareService(name);
        }
        for (String node : distinct(NODES)) {
            long index = Math.max(model.nodesIndex, model.servicesIndex);
            assertThat(
                            lines(
                                    rows(Question.CATALOG_NODE_SERVICES, node, index)
                                            .path("Services"),
                                    "ID",
                                    "Service",
                                    "Port",
                                    "Tags",
                                    "CreateIndex",
                                    "ModifyIndex"))
                    .isEqualTo(
                            model.services.values().stream()
                                    .filter(s -> s.node().equals(node))
                                    .map(s ->
                                            quoted(
                                                    s.id(),
                                                    s.name(),
                                                    s.port(),
                                                    s.tags(),
                                                    s.create(),
                                                    s.modify()))
                                    .toList());
            compareChecks(
                    rows(Question.HEALTH_NODE, node, model.checksIndex),
                    model.checks.values().stream().filter(c -> c.node().equals(node)).toList());
        }
        compareChecks(
                rows(Question.HEALTH_STATE, "any", model.checksIndex),
                List.copyOf(model.checks.values()));
        var names = new TreeMap<String, Object>();
        model.services.values().forEach(s -> names.put(s.name(), ""));
        var listed = new ArrayList<String>();
        rows(Question.CATALOG_SERVICES, "", model.servicesIndex)
                .fieldNames()
                .forEachRemaining(listed::add);
        assertThat(listed).isEqualTo(List.copyOf(names.keySet()));
        compareKv();
    }

    private void compareService(String name) {
        long index = model.serviceIndex(name);
        JsonNode entries = rows(Question.HEALTH_SERVICE, name, index);
        var instances =
                model.services.values().stream()
                        .filter(s -> NaiveModel.fold(s.name()).equals(name))
                        .toList();
        assertThat(lines(entries, "Node/Node", "Service/ID", "Service/Port", "Service/ModifyIndex"))
                .isEqualTo(
                        instances.stream()
                                .map(s ->
                                        quoted(
                                                model.nodes.get(s.node()).name(),
                                                s.id(),
                                                s.port(),
                                                s.modify()))
                                .toList());
        for (int i = 0; i < instances.size(); i++) {
            NaiveModel.S s = instances.get(i);
            var own = new ArrayList<NaiveModel.C>();
            model.checks.values().stream()
                    .filter(c -> c.node().equals(s.node()) && c.service().isEmpty())
                    .forEach(own::add);
            model.checks.values().stream()
                    .filter(c -> c.node().equals(s.node()))
                    .filter(c -> NaiveModel.fold(c.service()).equals(NaiveModel.fold(s.id())))
                    .forEach(own::add);
            compareChecks(entries.get(i).path("Checks"), own);
        }
        assertThat(
                        lines(
                                rows(Question.CATALOG_SERVICE_NODES, name, index),
                                "Node",
                                "ServiceID",
                                "ServiceTags"))
                .isEqualTo(
                        instances.stream()
                                .map(s ->
                                        quoted(model.nodes.get(s.node()).name(), s.id(), s.tags()))
                                .toList());
        compareChecks(
                rows(Question.HEALTH_CHECKS, name, model.checksIndex),
                model.checks.values().stream()
                        .filter(c -> NaiveModel.fold(c.serviceName()).equals(name))
                        .toList());
    }

    private static void compareChecks(JsonNode rows, List<NaiveModel.C> checks) {
        assertThat(
                        lines(
                                rows,
                                "Node",
                                "CheckID",
                                "Status",
                                "Output",
                                "ServiceID",
                                "ServiceName",
                                "ServiceTags",
                                "CreateIndex",
                                "ModifyIndex"))
                .isEqualTo(
                        checks.stream()
                                .map(c ->
                                        quoted(
                                                c.nodeSpelling(),
                                                c.id(),
                                                c.status(),
                                                c.output(),
                                                c.service(),
                                                c.serviceName(),
                                                c.tags(),
                                                c.create(),
                                                c.modify()))
                                .toList());
    }

    private void compareKv() {
        for (String key : KEYS) {
            NaiveModel.K k = model.kvs.get(key);
            JsonNode rows = rows(Question.KV_GET, key, k == null ? model.kvIndex : k.modify());
            assertThat(lines(rows, "Key", "Flags", "CreateIndex", "ModifyIndex"))
                    .isEqualTo(
                            k == null
                                    ? List.of()
                                    : List.of(quoted(k.key(), k.flags(), k.create(), k.modify())));
        }
        for (String prefix : PREFIXES) {
            JsonNode rows = rows(Question.KV_GET, prefix, model.treeIndex(prefix), "recurse");
            assertThat(lines(rows, "Key", "ModifyIndex"))
                    .isEqualTo(
                            model.kvs.values().stream()
                                    .filter(k -> k.key().startsWith(prefix))
                                    .sorted((a, b) ->
                                            java.util.Arrays.compareUnsigned(
                                                    a.key().getBytes(UTF_8),
                                                    b.key().getBytes(UTF_8)))
                                    .map(k -> quoted(k.key(), k.modify()))
                                    .toList());
        }
    }

    private static List<Question> questions() {
        List<Question> all = new ArrayList<>();
        Duration hold = Duration.ofMinutes(5);
        for (String method : List.of(Question.CATALOG_NODES, Question.CATALOG_SERVICES)) {
            all.add(TestServer.question(method, "", 0, hold));
            all.add(TestServer.question(method, "", 0, hold, "node-meta=k:v"));
        }
        for (String name : distinct(SERVICES)) {
            all.add(TestServer.question(Question.CATALOG_SERVICE_NODES, name, 0, hold));
            all.add(TestServer.question(Question.CATALOG_SERVICE_NODES, name, 0, hold, "tag=t1"));
            all.add(TestServer.question(Question.HEALTH_SERVICE, name, 0, hold));
            all.add(TestServer.question(Question.HEALTH_SERVICE, name, 0, hold, "passing"));
            all.add(TestServer.question(Question.HEALTH_SERVICE, name, 0, hold, "node-meta=k:v"));
            all.add(TestServer.question(Question.HEALTH_CHECKS, name, 0, hold));
            all.add(TestServer.question(Question.HEALTH_CHECKS, name, 0, hold, "node-meta=k:v"));
        }
        for (String node : distinct(NODES)) {
            all.add(TestServer.question(Question.CATALOG_NODE, node, 0, hold));
            all.add(TestServer.question(Question.CATALOG_NODE_SERVICES, node, 0, hold));
            all.add(TestServer.question(Question.HEALTH_NODE, node, 0, hold));
        }
        for (String id : NODE_IDS.stream().filter(id -> !id.isEmpty()).toList()) {
            all.add(TestServer.question(Question.CATALOG_NODE, id, 0, hold));
        }
        for (String state : List.of("any", "passing", "critical", "nonsense")) {
            all.add(TestServer.question(Question.HEALTH_STATE, state, 0, hold));
        }
        for (String key : KEYS) {
            all.add(TestServer.question(Question.KV_GET, key, 0, hold));
        }
        for (String prefix : PREFIXES) {
            all.add(TestServer.question(Question.KV_GET, prefix, 0, hold, "recurse"));
            all.add(TestServer.question(Question.KV_GET, prefix, 0, hold, "keys", "separator=/"));
        }
        return all;
    }

    private static final List<Question> QUESTIONS = questions();

    private void everyQuestion() {
        for (Question question : QUESTIONS) {
            Reply now = TestServer.get(test.ask(question));
            Reply before = last.put(question, now);
            if (before != null) {
                boolean same =
                        now.found() == before.found()
                                && java.util.Arrays.equals(now.body(), before.body());
                if (now.index() < before.index()) {
                    fail("index fell from %d to %d: %s", before.index(), now.index(), question);
                }
                if (!same && now.index() == before.index()) {
                    fail("the answer changed, its index %d did not: %s", now.index(), question);
                }
                if (!same) {
                    Reply woken = TestServer.get(parked.get(question));
                    if (woken.index() < now.index()) {
                        // Woken by an earlier command that had moved the index alone.
                        woken = TestServer.get(test.ask(above(question, woken.index())));
                    }
                    assertThat(woken.index()).isEqualTo(now.index());
                    assertThat(woken.body()).isEqualTo(now.body());
                }
            }
            TestServer.Answer held = parked.get(question);
            if (held == null || held.isDone()) {
                parked.put(question, test.ask(above(question, now.index())));
            }
        }
    }

    private static Question above(Question question, long index) {
        return new Question(
                question.method(),
                question.name(),
                question.params(),
                question.consistency(),
                index,
                question.maxWait());
    }

    private void restore() throws Exception {
        Applier applier = test.consensus.applier();
        byte[] snapshot = bytes(applier.snapshot());
        applier.load(new ByteArrayInputStream(snapshot));
        assertThat(bytes(applier.snapshot())).isEqualTo(snapshot);
    }

    private static byte[] bytes(Applier.Snapshot snapshot) throws Exception {
        var out = new ByteArrayOutputStream();
        snapshot.writeTo(out);
        return out.toByteArray();
    }
}

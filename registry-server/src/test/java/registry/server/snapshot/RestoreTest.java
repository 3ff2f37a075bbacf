package registry.server.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.api.ApiException;
import registry.api.KvWrite;
import registry.server.TestServer;
import registry.server.fsm.Fsm;
import registry.server.leader.Members;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.state.TableDef;

/** What was saved comes back, all or nothing, and nobody sees an index fall. */
class RestoreTest {
    private static final List<String> NAMES = List.of("web", "db", "Web-2");
    private static final List<String> KEYS = List.of("a", "a/b", "a/c", "b");

    @TempDir private Path dir;

    /** Answers by question, without indexes. */
    private static Map<Question, String> answers(TestServer test) {
        var answers = new LinkedHashMap<Question, String>();
        for (Question question : questions()) {
            Reply reply = TestServer.get(test.ask(question));
            answers.put(
                    question,
                    reply.found()
                            + new String(reply.body(), UTF_8)
                                    .replaceAll("\"(Create|Modify|Lock)Index\":\\d+", ""));
        }
        return answers;
    }

    private static Map<Question, Long> indexes(TestServer test) {
        var indexes = new LinkedHashMap<Question, Long>();
        questions().forEach(q -> indexes.put(q, TestServer.get(test.ask(q)).index()));
        return indexes;
    }

    private static List<Question> questions() {
        var all = new ArrayList<Question>();
        Duration hold = Duration.ofMinutes(5);
        all.add(TestServer.question(Question.CATALOG_NODES, "", 0, hold));
        all.add(TestServer.question(Question.CATALOG_SERVICES, "", 0, hold));
        all.add(TestServer.question(Question.HEALTH_STATE, "any", 0, hold));
        for (String name : List.of("web", "db", "web-2", "never")) {
            all.add(TestServer.question(Question.HEALTH_SERVICE, name, 0, hold));
            all.add(TestServer.question(Question.CATALOG_SERVICE_NODES, name, 0, hold));
            all.add(TestServer.question(Question.HEALTH_CHECKS, name, 0, hold));
        }
        for (String node : List.of("n1", "n2", "never")) {
            all.add(TestServer.question(Question.CATALOG_NODE, node, 0, hold));
            all.add(TestServer.question(Question.HEALTH_NODE, node, 0, hold));
        }
        for (String key : List.of("a", "a/b", "a/c", "b", "never", "")) {
            if (!key.isEmpty()) {
                all.add(TestServer.question(Question.KV_GET, key, 0, hold));
            }
            all.add(TestServer.question(Question.KV_GET, key, 0, hold, "recurse"));
        }
        return all;
    }

    private static void change(TestServer test, SplittableRandom random) {
        String node = "n" + (1 + random.nextInt(2));
        String name = NAMES.get(random.nextInt(NAMES.size()));
        String key = KEYS.get(random.nextInt(KEYS.size()));
        switch (random.nextInt(6)) {
            case 0, 1 ->
                    test.register(
                            """
                            {"Node":"%s","Address":"10.0.0.%d","Service":{"ID":"%s","Service":"%s","Port":%d},
                             "Check":{"CheckID":"c","Name":"c","Status":"%s","ServiceID":"%s"}}
                            """
                                    .formatted(
                                            node,
                                            random.nextInt(2),
                                            name,
                                            name,
                                            random.nextInt(3),
                                            random.nextBoolean() ? "passing" : "critical",
                                            name));
            case 2 ->
                    test.deregister("{\"Node\":\"%s\",\"ServiceID\":\"%s\"}".formatted(node, name));
            case 3 -> test.kv(KvWrite.Verb.DELETE_TREE, key, "", 0, 0);
            case 4 -> {
                if (random.nextInt(8) == 0) {
                    test.deregister("{\"Node\":\"%s\"}".formatted(node));
                } else {
                    test.kv(KvWrite.Verb.DELETE, key, "", 0, 0);
                }
            }
            default -> test.put(key, "v" + random.nextInt(4));
        }
    }

    private static byte[] save(TestServer test) {
        SnapshotCalls.Opened opened =
                test.server.call(SnapshotCalls.OPEN, new SnapshotCalls.Open(false));
        var out = new ByteArrayOutputStream();
        boolean last = false;
        while (!last) {
            SnapshotCalls.Piece piece =
                    test.server.call(
                            SnapshotCalls.READ, new SnapshotCalls.Read(opened.id(), out.size()));
            out.writeBytes(piece.bytes());
            last = piece.last();
        }
        assertThat(test.server.call(SnapshotCalls.CLOSE, new SnapshotCalls.Close(opened.id())))
                .isTrue();
        return out.toByteArray();
    }

    private static List<byte[]> pieces(byte[] archive, int of) {
        var pieces = new ArrayList<byte[]>();
        for (int from = 0; from < archive.length; from += of) {
            pieces.add(Arrays.copyOfRange(archive, from, Math.min(archive.length, from + of)));
        }
        return pieces;
    }

    private static void stage(TestServer test, String restore, int part, byte[] bytes) {
        test.server.call(SnapshotCalls.STAGE, new RestoreOp.Stage(restore, part, bytes));
    }

    private static void commit(TestServer test, String restore, int parts) {
        test.server.call(SnapshotCalls.COMMIT, new RestoreOp.Commit(restore, parts));
    }

    private static void restore(TestServer test, byte[] archive) {
        stage(test, "whole", 0, archive);
        commit(test, "whole", 1);
    }

    /** What a server has on disk and reads after a power cut, or gets from its leader. */
    private static void restart(TestServer test) throws IOException {
        var out = new ByteArrayOutputStream();
        test.consensus.applier().snapshot().writeTo(out);
        test.consensus.applier().load(new ByteArrayInputStream(out.toByteArray()));
    }

    private record Saved(byte[] archive, Map<Question, String> answers) {}

    @Test
    void whateverHappensInBetweenTheStateIsTheOldOneOrTheSavedOne() throws Exception {
        long seed = Long.getLong("registry.property.seed", System.nanoTime());
        var random = new SplittableRandom(seed);
        int rounds = Integer.getInteger("registry.property.restores", 40);
        int committed = 0;
        try (var here = new TestServer(dir.resolve("here"));
                var there = new TestServer(dir.resolve("there"))) {
            for (int i = 0; i < 300; i++) {
                change(there, random);
            }
            var saved = new ArrayList<Saved>();
            for (int round = 0; round < rounds; round++) {
                for (int i = random.nextInt(20); i > 0; i--) {
                    change(here, random);
                }
                if (saved.isEmpty() || random.nextInt(3) == 0) {
                    saved.add(new Saved(save(here), answers(here)));
                    change(there, random);
                    saved.add(new Saved(save(there), answers(there)));
                }
                if (interrupted(here, saved.get(random.nextInt(saved.size())), random)) {
                    committed++;
                }
            }
        } catch (Throwable e) {
            throw new AssertionError("-Dregistry.property.seed=" + seed, e);
        }
        assertThat(committed).as("seed %d", seed).isPositive();
    }

    /** True when the restore went through. */
    private static boolean interrupted(TestServer test, Saved saved, SplittableRandom random)
            throws IOException {
        Map<Question, String> before = answers(test);
        Map<Question, Long> indexes = indexes(test);
        Map<Question, TestServer.Answer> parked = new LinkedHashMap<>();
        indexes.forEach((q, index) ->
                parked.put(
                        q,
                        test.ask(
                                new Question(
                                        q.method(),
                                        q.name(),
                                        q.params(),
                                        q.consistency(),
                                        index,
                                        q.maxWait()))));
        String id = "r" + random.nextInt(1_000_000);
        List<byte[]> pieces = pieces(saved.archive, 100 + random.nextInt(400));
        int cut = random.nextInt(pieces.size() * 2);
        for (int part = 0; part < Math.min(cut, pieces.size()); part++) {
            stage(test, id, part, pieces.get(part));
            if (random.nextInt(4) == 0) {
                // The answer was lost and the part is sent once more.
                stage(test, id, part, pieces.get(part));
            }
            assertThat(answers(test)).isEqualTo(before);
        }
        boolean restarted = random.nextBoolean();
        if (restarted) {
            restart(test);
            assertThat(answers(test)).as("after a restart").isEqualTo(before);
        }
        if (cut < pieces.size()) {
            assertThatThrownBy(() -> commit(test, id, pieces.size()))
                    .isInstanceOf(ApiException.class);
            assertThat(answers(test)).isEqualTo(before);
            if (cut > 0) {
                assertThatThrownBy(() -> stage(test, "another", 0, pieces.getFirst()))
                        .hasMessageContaining("another restore is under way");
            }
            test.server.call(SnapshotCalls.DROP, new RestoreOp.Drop(id));
            return false;
        }
        commit(test, id, pieces.size());
        assertThat(answers(test)).isEqualTo(saved.answers);
        if (random.nextBoolean()) {
            restart(test);
            assertThat(answers(test)).as("after a restart").isEqualTo(saved.answers);
        }
        long raised = indexes(test).values().iterator().next();
        indexes.values().forEach(index -> assertThat(index).isLessThan(raised));
        assertThat(indexes(test).values()).as("all have one index").containsOnly(raised);
        parked.values().forEach(held -> assertThat(TestServer.get(held).index()).isPositive());
        return true;
    }

    @Test
    void noKeyCanBeWrittenWithAnIndexOfAnotherHistory() {
        try (var test = new TestServer(dir)) {
            test.put("a", "1");
            long index = test.index(Question.KV_GET, "a");
            byte[] archive = save(test);
            restore(test, archive);
            assertThat(test.kv(KvWrite.Verb.CAS, "a", "2", 0, index)).isFalse();
            assertThat(test.kv(KvWrite.Verb.CAS, "a", "2", 0, test.index(Question.KV_GET, "a")))
                    .isTrue();
        }
    }

    @Test
    void aForeignHistoryThatIsFartherRaisesTheBaseForGood() throws Exception {
        try (var old = new TestServer(dir.resolve("old"));
                var fresh = new TestServer(dir.resolve("fresh"))) {
            for (int i = 0; i < 500; i++) {
                old.put("k" + i % 7, "v" + i);
            }
            long index = old.index(Question.KV_GET, "", "recurse");
            restore(fresh, save(old));
            long raised = fresh.index(Question.KV_GET, "", "recurse");
            assertThat(raised).isGreaterThan(index);
            fresh.put("more", "1");
            assertThat(fresh.index(Question.KV_GET, "more")).isEqualTo(raised + 1);
            restart(fresh);
            fresh.put("more", "2");
            assertThat(fresh.index(Question.KV_GET, "more")).isEqualTo(raised + 2);
        }
    }

    @Test
    void aTombstoneIsAsOldAsItWas() {
        try (var test = new TestServer(dir.resolve("old"));
                var fresh = new TestServer(dir.resolve("fresh"))) {
            test.put("a", "1");
            test.put("b", "1");
            test.kv(KvWrite.Verb.DELETE, "a", "", 0, 0);
            test.nanos.addAndGet(Duration.ofMinutes(14).toNanos());
            test.put("b", "2");
            restore(fresh, save(test));
            fresh.nanos.addAndGet(Duration.ofSeconds(61).toNanos());
            long before = fresh.consensus.index();
            fresh.members.put("nobody", "", 0, Members.State.LEAVING);
            org.awaitility.Awaitility.await()
                    .untilAsserted(() -> assertThat(fresh.consensus.index()).isGreaterThan(before));
        }
    }

    @Test
    void anAbandonedRestoreMakesRoomForAnother() {
        try (var test = new TestServer(dir)) {
            test.put("a", "1");
            byte[] archive = save(test);
            stage(test, "first", 0, Arrays.copyOf(archive, 10));
            assertThatThrownBy(() -> stage(test, "second", 0, archive))
                    .hasMessage("another restore is under way, try again later");
            test.nanos.addAndGet(Duration.ofSeconds(61).toNanos());
            stage(test, "second", 0, archive);
            commit(test, "second", 1);
            assertThatThrownBy(() -> stage(test, "first", 1, archive))
                    .hasMessageContaining("took too long");
        }
    }

    @Test
    void nobodyWaitsForARestoreWhoseAgentHasEnded() {
        try (var test = new TestServer(dir)) {
            test.put("a", "1");
            byte[] archive = save(test);
            String first = id("p1", "dc1", "n.7");
            stage(test, first, 0, Arrays.copyOf(archive, 10));
            // The agent's own second restore, and those of others, are not to disturb the first.
            for (String other :
                    List.of(
                            id("p1", "dc1", "n.7"),
                            id("p2", "dc2", "n.7"),
                            id("p3", "dc1", "n8"))) {
                assertThatThrownBy(() -> stage(test, other, 0, archive))
                        .hasMessage("another restore is under way, try again later");
            }
            // It was started again.
            String second = id("p4", "dc1", "n.7");
            stage(test, second, 0, Arrays.copyOf(archive, 10));
            assertThatThrownBy(() -> stage(test, first, 1, archive))
                    .hasMessage("another restore is under way, try again later");
            assertThatThrownBy(() -> commit(test, first, 1)).hasMessageContaining("took too long");
            // It has gone for good.
            test.members.put("n.7", "10.0.0.7", 0, Members.State.FAILED);
            String third = id("p3", "dc1", "n8");
            stage(test, third, 0, archive);
            commit(test, third, 1);
            assertThat(test.get(Question.KV_GET, "a").found()).isTrue();
        }
    }

    private static String id(String process, String datacenter, String node) {
        return new RestoreId(UUID.randomUUID().toString(), process, datacenter, node).toString();
    }

    @Test
    void noDamageGoesUnnoticed() throws Exception {
        var random = new SplittableRandom(7);
        try (var test = new TestServer(dir)) {
            for (int i = 0; i < 100; i++) {
                change(test, random);
            }
            byte[] archive = save(test);
            var whole = SnapshotArchive.inspect(new ByteArrayInputStream(archive));
            assertThat(whole.tables()).extracting("table").doesNotContain("restore-parts");
            for (int at = 0; at < archive.length; at++) {
                byte[] damaged = archive.clone();
                damaged[at] ^= (byte) (1 << random.nextInt(8));
                try {
                    // Gzip's own head and its last byte have bits without a meaning.
                    assertThat(SnapshotArchive.inspect(new ByteArrayInputStream(damaged)))
                            .isEqualTo(whole);
                } catch (IOException e) {
                    assertThat(e).hasMessageStartingWith("failed to ");
                }
                byte[] cut = Arrays.copyOf(archive, at);
                assertThatThrownBy(() -> SnapshotArchive.inspect(new ByteArrayInputStream(cut)))
                        .isInstanceOf(IOException.class);
            }
        }
    }

    @Test
    void whatIsNoArchiveChangesNothing() {
        try (var test = new TestServer(dir)) {
            test.put("a", "1");
            Map<Question, Long> indexes = indexes(test);
            stage(test, "r", 0, "garbage".getBytes(UTF_8));
            assertThatThrownBy(() -> commit(test, "r", 1))
                    .isInstanceOf(ApiException.class)
                    .hasMessage("failed to decompress snapshot: unexpected EOF");
            assertThat(indexes(test)).isEqualTo(indexes);
        }
    }

    /** Found only behind all rows, when the transaction is changed already. */
    @Test
    void anArchiveOfAnotherChecksumChangesNothing() throws Exception {
        try (var old = new TestServer(dir.resolve("old"));
                var test = new TestServer(dir.resolve("here"))) {
            for (int i = 0; i < 200; i++) {
                old.put("k", "v" + i);
            }
            byte[] plain = new GZIPInputStream(new ByteArrayInputStream(save(old))).readAllBytes();
            plain[plain.length - 1] ^= 1;
            var damaged = new ByteArrayOutputStream();
            try (var zip = new GZIPOutputStream(damaged)) {
                zip.write(plain);
            }
            test.put("a", "1");
            long index = test.index(Question.KV_GET, "a");
            stage(test, "r", 0, damaged.toByteArray());
            assertThatThrownBy(() -> commit(test, "r", 1))
                    .hasMessage("failed to read snapshot: its checksum does not hold");
            assertThat(test.get(Question.KV_GET, "k").found()).isFalse();
            test.put("a", "2");
            assertThat(test.index(Question.KV_GET, "a")).isBetween(index + 1, index + 5);
        }
    }

    @Test
    void everyTableIsSavedOrSaidToBeTheClustersOwn() {
        var carried = new TreeMap<String, Boolean>();
        for (TableDef<?> table : Fsm.TABLES) {
            carried.put(table.name(), table.isCarried());
        }
        carried.values().removeIf(is -> is);
        assertThat(carried.keySet()).containsExactly("once-clients", "restore-parts");
    }
}
